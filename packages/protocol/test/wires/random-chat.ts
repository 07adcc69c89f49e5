import * as fc from 'fast-check'
import type { RunEvent, StreamedKind } from '../../src/events/event.ts'

/** What a run's answer is made of, in the words of every wire: parts that grow, calls, what tools and nodes say. */
interface Answer {
  parts: readonly { kind: StreamedKind; pieces: readonly string[] }[]
  output: string | undefined
  custom: unknown
  set: unknown
  /** What an attempt had said that failed and was withdrawn before this one. */
  ghost: string | undefined
  /** Whether it is told at once and not streamed. */
  isWhole: boolean
  /** Takes a message out of the list that stood there before, by its place. */
  removes: number | undefined
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
  ghost: fc.option(piece, { nil: undefined, freq: 3 }),
  isWhole: fc.boolean(),
  removes: fc.option(fc.nat(3), { nil: undefined, freq: 3 }),
})

/** How random runs may differ from one wire to the next. */
export interface ChatOptions {
  /** Whether a run may end by asking a person. */
  interrupts: boolean
  /** Messages that answer in one run, at most. Default 4. */
  maxAnswers?: number
  /** Whether attempts fail and are withdrawn. Default `true`. */
  rewinds?: boolean
  /** Whether messages leave the list. Default `true`. */
  removals?: boolean
}

/** One run of a graph that answers in steps, as the runtime tells it. */
export function randomChat(
  run: string,
  { interrupts, maxAnswers = 4, rewinds = true, removals = true }: ChatOptions,
): fc.Arbitrary<RunEvent[]> {
  const endings = interrupts ? (['done', 'error', 'interrupted'] as const) : (['done', 'error'] as const)
  return fc
    .record({
      question: piece,
      answers: fc.array(answer, { maxLength: maxAnswers }),
      ending: fc.constantFrom(...endings),
    })
    .map(({ question, answers, ending }) => {
      const list = [`${run}-q`]
      const able = answers.map((one) => ({
        ...one,
        ghost: rewinds ? one.ghost : undefined,
        removes: removals ? one.removes : undefined,
      }))
      return [
        { type: 'run.start', run, protocol: 1 },
        { type: 'message', run, step: 0, message: { id: `${run}-q`, role: 'user', content: question } },
        { type: 'values', run, step: 0, full: true, set: {}, lists: { messages: { ids: [`${run}-q`] } } },
        ...able.flatMap((one, i) => stepOf(run, i + 1, one, list)),
        ...(ending === 'interrupted'
          ? [{ type: 'interrupt' as const, run, id: `${run}-i`, value: { ask: question } }]
          : []),
        {
          type: 'run.end',
          run,
          status: ending,
          ...(ending === 'error' && { error: { code: 'NODE_FAILED' as const, message: `no ${question}` } }),
        },
      ]
    })
}

/** A step whose answer joins the list, or what is left of it. */
function stepOf(run: string, step: number, answered: Answer, list: string[]): RunEvent[] {
  const { parts, output, custom, set, ghost, isWhole, removes } = answered
  const id = `${run}-a${step}`
  const task = { run, node: 'agent', task: `${run}-t${step}`, step }
  const attempt = ghost === undefined ? {} : { attempt: 2 }
  const from = { ...task, ...attempt }
  const callIds = parts.map((_, part) => `${id}-c${part}`)
  const calls = isWhole
    ? []
    : parts.flatMap(({ kind }, part) => (kind === 'tool' && output !== undefined ? [callIds[part]!] : []))
  const answers = calls.map((toolCallId) => ({
    id: `${toolCallId}-m`,
    role: 'tool' as const,
    content: output ?? '',
    toolCallId,
  }))
  const gone = removes === undefined ? undefined : list[removes]
  list.push(id, ...answers.map((message) => message.id))
  if (gone !== undefined) list.splice(list.indexOf(gone), 1)
  return [
    { ...task, type: 'task.start' },
    ...(ghost === undefined ? [] : ghostOf(task, `${id}-ghost`, ghost)),
    ...(isWhole ? [wholeOf(from, id, parts)] : streamOf(from, id, parts, callIds)),
    ...calls.flatMap((call): RunEvent[] => [
      { ...from, type: 'tool.start', id: call, name: 'look', input: {} },
      { ...from, type: 'tool.end', id: call, name: 'look', output: output ?? '' },
    ]),
    ...answers.map((message): RunEvent => ({ ...from, type: 'message', message })),
    ...(custom === undefined ? [] : [{ ...from, type: 'custom' as const, data: custom }]),
    { ...from, type: 'task.end', outcome: 'ok' },
    ...(gone === undefined ? [] : [{ run, step, type: 'message.remove' as const, id: gone }]),
    {
      type: 'values',
      run,
      step,
      ...(set !== undefined && { set: { [`key${step % 2}`]: set } }),
      lists: { messages: { ids: [...list] } },
    },
  ]
}

interface From {
  run: string
  node: string
  task: string
  step: number
  attempt?: number
}

/** An attempt that says something, fails, and is withdrawn. */
function ghostOf(task: From, id: string, text: string): RunEvent[] {
  const { node, task: failed, run } = task
  return [
    { ...task, type: 'message.start', id, role: 'assistant' },
    { ...task, type: 'message.delta', id, part: 0, at: 0, text },
    { type: 'rewind', run, node, task: failed, attempt: 1 },
  ]
}

function wholeOf(from: From, id: string, parts: Answer['parts']): RunEvent {
  const content = parts.flatMap(({ kind, pieces }) => (kind === 'text' ? pieces : [])).join('')
  return { ...from, type: 'message', message: { id, role: 'assistant', content } }
}

function streamOf(from: From, id: string, parts: Answer['parts'], callIds: readonly string[]): RunEvent[] {
  const deltas = parts.flatMap(({ kind, pieces }, part) => {
    let at = 0
    return pieces.map((text, i): RunEvent => {
      const first = i === 0 ? { kind, ...(kind === 'tool' && { callId: callIds[part]!, name: 'look' }) } : {}
      const delta = { ...from, type: 'message.delta' as const, id, part, at, text, ...first }
      at += text.length
      return delta
    })
  })
  const lengths = parts.map(({ pieces }) => pieces.join('').length)
  return [
    { ...from, type: 'message.start', id, role: 'assistant' },
    ...deltas,
    { ...from, type: 'message.end', id, lengths },
  ]
}
