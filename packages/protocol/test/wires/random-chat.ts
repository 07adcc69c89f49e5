import * as fc from 'fast-check'
import type { RunEvent, StreamedKind } from '../../src/events/event.ts'

/** What a run's answer is made of, in the words of every wire: parts that grow, calls, what tools and nodes say. */
interface Answer {
  parts: readonly { kind: StreamedKind; pieces: readonly string[] }[]
  output: string | undefined
  custom: unknown
  set: unknown
}

const piece = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 6 })
const spoken = fc.record({
  kind: fc.constantFrom<StreamedKind>('text', 'reasoning'),
  pieces: fc.array(piece, { minLength: 1, maxLength: 4 }),
})
const call = fc
  .tuple(
    fc.dictionary(
      fc.string({ maxLength: 4 }).filter((key) => key !== '__proto__'),
      piece,
      { maxKeys: 2 },
    ),
    fc.nat(20),
  )
  .map(([args, cut]) => {
    const text = JSON.stringify(args)
    const pieces = [text.slice(0, cut), text.slice(cut)].filter((part) => part !== '')
    return { kind: 'tool' as const, pieces }
  })
/** What JSON carries: no -0. */
const json = fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.parse(JSON.stringify(value)) as unknown)
const answer: fc.Arbitrary<Answer> = fc.record({
  parts: fc.array(fc.oneof(spoken, call), { minLength: 1, maxLength: 4 }),
  output: fc.option(fc.string({ maxLength: 5 }), { nil: undefined }),
  custom: fc.option(json, { nil: undefined }),
  set: fc.option(json, { nil: undefined }),
})

/** How random runs may differ from one wire to the next. */
export interface ChatOptions {
  /** Whether a run may end by asking a person. */
  interrupts: boolean
  /** Messages that answer in one run, at most. Default 4. */
  maxAnswers?: number
}

/** One run of a graph that answers in steps, as the runtime tells it. */
export function randomChat(run: string, { interrupts, maxAnswers = 4 }: ChatOptions): fc.Arbitrary<RunEvent[]> {
  const endings = interrupts ? (['done', 'error', 'interrupted'] as const) : (['done', 'error'] as const)
  return fc
    .record({
      question: piece,
      answers: fc.array(answer, { maxLength: maxAnswers }),
      ending: fc.constantFrom(...endings),
    })
    .map(({ question, answers, ending }) => [
      { type: 'run.start', run, protocol: 1 },
      { type: 'message', run, step: 0, message: { id: `${run}-q`, role: 'user', content: question } },
      { type: 'values', run, step: 0, full: true, set: {}, lists: { messages: { ids: [`${run}-q`] } } },
      ...answers.flatMap((one, i) => stepOf(run, i + 1, one)),
      ...(ending === 'interrupted'
        ? [{ type: 'interrupt' as const, run, id: `${run}-i`, value: { ask: question } }]
        : []),
      {
        type: 'run.end',
        run,
        status: ending,
        ...(ending === 'error' && { error: { code: 'NODE_FAILED' as const, message: `no ${question}` } }),
      },
    ])
}

function stepOf(run: string, step: number, { parts, output, custom, set }: Answer): RunEvent[] {
  const id = `${run}-a${step}`
  const from = { run, node: 'agent', task: `${run}-t${step}`, step }
  const callIds = parts.map((_, part) => `${id}-c${part}`)
  const deltas = parts.flatMap(({ kind, pieces }, part) => {
    let at = 0
    return pieces.map((text, i): RunEvent => {
      const first = i === 0 ? { kind, ...(kind === 'tool' && { callId: callIds[part]!, name: 'look' }) } : {}
      const delta = { ...from, type: 'message.delta' as const, id, part, at, text, ...first }
      at += text.length
      return delta
    })
  })
  const calls = parts.flatMap(({ kind }, part) => (kind === 'tool' && output !== undefined ? [callIds[part]!] : []))
  const answers = calls.map((toolCallId) => ({
    id: `${toolCallId}-m`,
    role: 'tool' as const,
    content: output ?? '',
    toolCallId,
  }))
  return [
    { ...from, type: 'task.start' },
    { ...from, type: 'message.start', id, role: 'assistant' },
    ...deltas,
    { ...from, type: 'message.end', id, lengths: parts.map(({ pieces }) => pieces.join('').length) },
    ...calls.flatMap((call): RunEvent[] => [
      { ...from, type: 'tool.start', id: call, name: 'look', input: {} },
      { ...from, type: 'tool.end', id: call, name: 'look', output: output ?? '' },
    ]),
    ...answers.map((message): RunEvent => ({ ...from, type: 'message', message })),
    ...(custom === undefined ? [] : [{ ...from, type: 'custom' as const, data: custom }]),
    { ...from, type: 'task.end', outcome: 'ok' },
    {
      type: 'values',
      run,
      step,
      ...(set !== undefined && { set: { [`key${step % 2}`]: set } }),
      lists: { messages: { append: [id, ...answers.map((message) => message.id)] } },
    },
  ]
}
