import { foldAll, emptyState, messagesOf, valuesOf, type RunEvent, type StampedEvent } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import {
  type Checkpointer,
  fromAsyncIterable,
  MemoryCheckpointer,
  messages,
  reduced,
  START,
  state,
  StateGraph,
} from '../../src/index.ts'

const stamped = (events: readonly RunEvent[]): StampedEvent[] => events.map((event, i) => ({ ...event, seq: i + 1 }))

/** Two steps; the second is lost in the middle as often as told. */
function twoSteps() {
  const memory = new MemoryCheckpointer()
  let dead = false
  /** A store that takes nothing any more from a process that is gone. */
  const checkpointer: Checkpointer = {
    get: (...args) => memory.get(...args),
    put: (...args) => (dead ? Promise.resolve() : memory.put(...args)),
    putPending: (...args) => (dead ? Promise.resolve() : memory.putPending(...args)),
    list: (...args) => memory.list(...args),
    deleteThread: (id) => memory.deleteThread(id),
  }
  const model = fromAsyncIterable(async function* () {
    yield 'half '
    yield 'done'
  })
  const graph = new StateGraph(
    state({ messages: messages(), steps: reduced<string[]>({ initial: () => [], reduce: (a, b) => [...a, ...b] }) }),
  )
    .addNode('one', () => ({ steps: ['one'] }))
    .addNode('two', async ({ messages: history }, ctx) => ({
      messages: [await model.invoke(history, { ctx })],
      steps: ['two'],
    }))
    .addEdge(START, 'one')
    .addEdge('one', 'two')
    .compile({ checkpointer })
  return { graph, die: () => (dead = true), revive: () => (dead = false) }
}

test('a run whose process stopped goes on from its checkpoint, and readers with it', async () => {
  const { graph, die, revive } = twoSteps()
  const options = { threadId: 't', runId: 'r' }
  const seen: RunEvent[] = []
  const first = graph.events({ messages: 'hi' }, options)
  for await (const event of first) {
    seen.push(event)
    if (event.type !== 'message.delta') continue
    die()
    break
  }
  revive()
  for await (const event of graph.events(null, { ...options, attempt: 2, historyInLog: true })) seen.push(event)
  const again = seen.findLastIndex(({ type }) => type === 'run.start')
  expect(seen[again]).toMatchObject({ type: 'run.start', run: 'r', attempt: 2 })
  expect(seen[again + 1]).toMatchObject({ type: 'rewind', reason: 'recovery' })
  const shown = foldAll(emptyState(), stamped(seen))
  expect(shown.gap).toBeUndefined()
  expect(
    messagesOf(shown)
      .map(({ content }) => content)
      .at(-1),
  ).toBe('half done')
  expect(valuesOf(shown)).toMatchObject({ steps: ['one', 'two'] })
  expect((await graph.getState('t'))?.values).toMatchObject({ steps: ['one', 'two'] })
})

test('a run that had written nothing begins again from the empty thread', async () => {
  const { graph } = twoSteps()
  const seen: RunEvent[] = [{ type: 'run.start', run: 'r', protocol: 1 }]
  for await (const event of graph.events(
    { messages: 'hi' },
    { threadId: 't', runId: 'r', attempt: 2, historyInLog: true },
  )) {
    seen.push(event)
  }
  const state = { values: {}, lists: {}, messages: [] }
  expect(seen[2]).toMatchObject({ type: 'rewind', run: 'r', to: null, reason: 'recovery', state })
  const shown = foldAll(emptyState(), stamped(seen))
  expect(valuesOf(shown)).toMatchObject({ steps: ['one', 'two'] })
  expect(shown.runs.get('r')).toMatchObject({ status: 'done', attempt: 2 })
})
