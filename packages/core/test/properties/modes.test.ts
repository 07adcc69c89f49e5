import { streamModes, type StreamMode } from '@rivulet/protocol'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  fromAsyncIterable,
  messages,
  reduced,
  removeMessage,
  Send,
  START,
  state,
  StateGraph,
  tool,
  toolNode,
  value,
  type Graph,
} from '../../src/index.ts'
import { freezeClock } from '../frozen-clock.ts'
import { all, allAndError } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()
freezeClock()

const log = () => reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] })
const schema = () => state({ log: log(), messages: messages(), secret: value<number>({ private: true }) })

/** Has something for every mode, at the root and below it; fails at the end when asked to. */
function graph(fails: boolean): Graph {
  const model = fromAsyncIterable(async function* () {
    yield await Promise.resolve({ id: 'same each time', content: 'Hel', reasoning: 'hm' })
    yield { content: 'lo', toolCallChunks: [{ index: 0, id: `call`, name: 'look', args: '{}' }] }
    yield { usage: { outputTokens: 2 } }
  })
  const look = tool((_args, ctx) => ctx.progress(1), { name: 'look', description: 'looks' })
  const child = new StateGraph(schema())
    .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }))
    .addNode('tools', toolNode([look]))
    .addEdge(START, 'talk')
    .addEdge('talk', 'tools')
    .compile()
  return new StateGraph(schema())
    .addNode('plan', (_s, ctx) => {
      ctx.writer('plan')
      return { log: ['plan'], secret: 1 }
    })
    .addNode('work', (_sent, ctx) => {
      ctx.progress(1)
      return { log: ['work'], messages: ['a message'] }
    })
    .addNode('child', child)
    .addNode('twice', async (_s, ctx) => {
      ctx.pushMessage({ id: 'pushed', role: 'assistant', content: 'pushed' })
      const first = await model.invoke('hi', { ctx })
      const second = await model.invoke('hi', { ctx, tags: ['nostream'] })
      await ctx.run(child, {})
      return { messages: [first, second, removeMessage('q')] }
    })
    .addNode('last', () => {
      if (fails) throw new Error('as asked')
    })
    .addEdge(START, 'plan')
    .addConditionalEdges('plan', () => [new Send('work', 1), new Send('work', 2), 'child'] as const)
    .addEdge('work', 'twice')
    .addEdge('twice', 'last')
    .compile()
}

const input = { messages: [{ id: 'q', role: 'user', content: 'hi' }], log: ['in'] }
const options = { runId: 'r' }

type Entry = readonly [ns: readonly string[], mode: string, chunk: unknown]

/** Without the only thing that differs from run to run: the time. */
const timeless = (entries: readonly Entry[]): Entry[] =>
  entries.map(([ns, mode, chunk]) => [ns, mode, mode === 'debug' ? { ...(chunk as object), timestamp: 'now' } : chunk])

const modes = fc.uniqueArray(fc.constantFrom<StreamMode>(...streamModes), { maxLength: streamModes.length })

test.each([
  [true, false],
  [false, false],
  [true, true],
])(
  'any choice of modes (graphs below: %s, failing: %s) shows what all of them show, without the others',
  async (subgraphs, fails) => {
    const everything = await read(streamModes, subgraphs, fails)
    expect(everything.error).toEqual(fails ? new Error('as asked') : undefined)
    const seen = new Set(everything.entries.map(([, mode]) => mode))
    expect(seen).toEqual(
      new Set(streamModes.filter((mode) => mode !== 'checkpoints' && (subgraphs || mode !== 'tools'))),
    )
    await fc.assert(
      fc.asyncProperty(modes, async (chosen) => {
        const wanted = everything.entries.filter(([, mode]) => chosen.includes(mode as StreamMode))
        expect(await read(chosen, subgraphs, fails)).toEqual({ entries: wanted, error: everything.error })
      }),
      { numRuns: 60 },
    )
  },
)

/** What a reader of these modes gets, each entry with its namespace, also where that is always the root. */
async function read(streamMode: readonly StreamMode[], subgraphs: boolean, fails: boolean) {
  const stream = graph(fails).stream(input, { ...options, streamMode, subgraphs })
  const { items, error } = await allAndError<readonly unknown[]>(stream)
  return { entries: timeless(items.map((item) => (subgraphs ? item : [[], ...item]) as Entry)), error }
}

test('a single mode by name shows the bare chunks of the same mode in a list', async () => {
  for (const mode of streamModes) {
    const bare = await all(graph(false).stream(input, { ...options, streamMode: mode }))
    const listed = await all(graph(false).stream(input, { ...options, streamMode: [mode] }))
    const named = bare.map((chunk): Entry => [[], mode, chunk])
    expect(timeless(named)).toEqual(timeless(listed.map(([, chunk]): Entry => [[], mode, chunk])))
  }
})

test('what is watched changes nothing: invoke, any mode and events end in the same state with the same ids', async () => {
  const invoked = await graph(false).invoke(input, options)
  for (const mode of streamModes) {
    const chunks = await all(graph(false).stream(input, { ...options, streamMode: [mode, 'values'] }))
    expect(chunks.filter(([one]) => one === 'values').at(-1)?.[1]).toEqual(invoked)
  }
})
