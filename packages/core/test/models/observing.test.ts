import { emptyState, foldAll, messagesOf, streamModes, type Message, type StreamMode } from '@rivulet/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  messages,
  reduced,
  scriptedModel,
  START,
  state,
  StateGraph,
  type ChatModel,
  type NodeContext,
  type ScriptedAnswer,
} from '../../src/index.ts'
import { all } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

/** What one node does: its calls, one after the other or all at once. */
interface Work {
  calls: { answer: ScriptedAnswer; how: 'stream' | 'invoke'; quiet: boolean; streaming: boolean; gone: boolean }[]
  together: boolean
  kept: boolean
}

const text = fc.constantFrom('Hello there', 'a 😀 b', '', '{"x": 1}')
const answer: fc.Arbitrary<ScriptedAnswer> = fc.record(
  {
    id: fc.constantFrom('p1', 'p2'),
    text,
    reasoning: text,
    toolCalls: fc.array(fc.record({ name: fc.constantFrom('look', 'find'), args: fc.constant({ q: 1 }) }), {
      maxLength: 2,
    }),
    interleave: fc.boolean(),
    slice: fc.constantFrom(1, 3, 'word' as const),
    usage: fc.constant({ outputTokens: 3 }),
    failAfter: fc.nat(6),
  },
  { requiredKeys: ['text'] },
)
const call = fc.record({
  answer,
  how: fc.constantFrom('stream' as const, 'invoke' as const),
  quiet: fc.boolean(),
  streaming: fc.boolean(),
  gone: fc.boolean(),
})
const work: fc.Arbitrary<Work> = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 3 }),
  together: fc.boolean(),
  kept: fc.boolean(),
})

/** Nodes side by side, each with its models; a call that fails counts for nothing. */
function graphOf(given: readonly Work[]) {
  const builder = new StateGraph(
    state({ messages: messages(), log: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }) }),
  )
  for (const [i, { calls, together, kept }] of given.entries()) {
    const name = `n${i}`
    builder
      .addNode(name, async (_s, ctx) => {
        const answers: (Message | string)[] = []
        const run = async (one: Work['calls'][number]) => void answers.push(await say(one, ctx))
        if (together) await Promise.all(calls.map(run))
        else for (const one of calls) await run(one)
        const said = answers.filter((one) => typeof one !== 'string')
        return { log: answers.map((one) => (typeof one === 'string' ? one : one.id)), ...(kept && { messages: said }) }
      })
      .addEdge(START, name)
  }
  return builder.compile()
}

async function say(
  { answer: said, how, quiet, streaming, gone }: Work['calls'][number],
  ctx: NodeContext,
): Promise<Message | string> {
  const model: ChatModel = scriptedModel([said])
  const options = { ctx, streaming, tags: quiet ? ['nostream'] : ['loud'], withdrawOn: () => gone }
  try {
    if (how === 'invoke') return await model.invoke('hi', options)
    const pieces = await all(model.stream('hi', options))
    return pieces.map(({ content = '' }) => content).join('')
  } catch {
    return 'failed'
  }
}

test('with messages on or off, in stream, events and invoke: the same final state and the same message ids', async () => {
  const works = fc.array(work, { minLength: 1, maxLength: 3 })
  const modes = fc.uniqueArray(fc.constantFrom<StreamMode>(...streamModes), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(works, modes, async (given, chosen) => {
      const invoked = await graphOf(given).invoke({}, { runId: 'r' })
      const last = async (streamMode: StreamMode[]) => {
        const chunks = await all(graphOf(given).stream({}, { runId: 'r', streamMode }))
        return chunks.findLast(([mode]) => mode === 'values')?.[1]
      }
      expect(await last(['values'])).toEqual(invoked)
      expect(await last(['values', 'messages'])).toEqual(invoked)
      expect(await last([...new Set([...chosen, 'values' as const])])).toEqual(invoked)
      const events = await all(graphOf(given).events({}, { runId: 'r' }))
      const folded = foldAll(
        emptyState(),
        events.map((event, i) => ({ ...event, seq: i + 1 })),
      )
      const shown = messagesOf(folded).filter(({ status }) => status === 'done')
      expect(shown.map(({ id, content, toolCalls }) => ({ id, content, toolCalls }))).toEqual(
        invoked.messages.map(({ id, content, toolCalls }) => ({ id, content, toolCalls })),
      )
    }),
    { numRuns: 120 },
  )
})
