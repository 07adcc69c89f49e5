import { emptyState, fold, messagesOf, type RunEvent, type ThreadState } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { fromAsyncIterable, MemoryCheckpointer, messages, START, state, StateGraph, value } from '../../src/index.ts'
import { gate, settle } from '../gate.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const schema = () => state({ messages: messages(), n: value<number>() })
const asked = { messages: [{ id: 'q', role: 'user', content: 'hi' }] } as const
const thread = { threadId: 't' }

/** A supervisor over a graph that answers, and a node beside it; each word and the node wait for their gates. */
function supervising({ fails = false } = {}) {
  const gates = { first: gate(), second: gate(), beside: gate() }
  let attempts = 0
  const model = fromAsyncIterable(async function* () {
    attempts++
    await gates.first.opened
    yield 'Hel'
    if (fails && attempts === 1) throw new Error('cut')
    await gates.second.opened
    yield 'lo'
  })
  const child = new StateGraph(schema())
    .addNode('talk', async (s, ctx) => ({ messages: await model.invoke(s.messages, { ctx }) }))
    .addEdge(START, 'talk')
    .compile()
  const middle = new StateGraph(schema()).addNode('inner', child).addEdge(START, 'inner').compile()
  const graph = new StateGraph(schema())
    .addNode('agent', middle, fails ? { retry: { delayMs: 0, jitter: false } } : {})
    .addNode('beside', async () => {
      await gates.beside.opened
      return { n: 1 }
    })
    .addEdge(START, 'agent')
    .addEdge(START, 'beside')
    .compile({ checkpointer: new MemoryCheckpointer() })
  return { graph, gates }
}

/** What the page shows after each event, where it changed. */
class Page {
  readonly seen: string[] = []
  state: ThreadState = emptyState()
  #seq = 0

  async read(events: AsyncIterable<RunEvent>): Promise<void> {
    for await (const event of events) {
      this.state = fold(this.state, { ...event, seq: ++this.#seq })
      const shown = messagesOf(this.state)
        .map(({ content, status }) => `${content} ${status}`)
        .join(', ')
      if (shown !== this.seen.at(-1)) this.seen.push(shown)
    }
  }
}

describe('what streams in a graph that is a node', () => {
  test('is on the page of the graph above while it streams, once, and stays when the step commits', async () => {
    const { graph, gates } = supervising()
    const page = new Page()
    const reading = page.read(graph.events(asked, thread))
    for (const one of [gates.first, gates.second]) {
      await settle()
      one.open()
    }
    await settle()
    const beforeCommit = page.seen.at(-1)
    gates.beside.open()
    await reading
    expect(beforeCommit).toBe('hi done, Hello done')
    expect(page.seen).toEqual([
      '',
      'hi done',
      'hi done,  streaming',
      'hi done, Hel streaming',
      'hi done, Hello streaming',
      'hi done, Hello done',
    ])
    const kept = (await graph.getState('t'))?.values['messages'] as { id: string }[]
    expect(messagesOf(page.state).map(({ id }) => id)).toEqual(kept.map(({ id }) => id))
  })

  test('leaves the page when its attempt is withdrawn', async () => {
    const { graph, gates } = supervising({ fails: true })
    const page = new Page()
    const reading = page.read(graph.events(asked, thread))
    gates.first.open()
    gates.second.open()
    gates.beside.open()
    await reading
    const without = page.seen.lastIndexOf('hi done')
    expect(page.seen.slice(0, without).some((shown) => shown.startsWith('hi done, Hel'))).toBe(true)
    expect(page.seen.at(-1)).toBe('hi done, Hello done')
  })

  test('stays, cut, when the run is stopped, and is in the state', async () => {
    const { graph, gates } = supervising()
    const page = new Page()
    const stop = new AbortController()
    const reading = page.read(graph.events(asked, { ...thread, signal: stop.signal }))
    gates.first.open()
    await settle()
    stop.abort()
    await reading
    gates.second.open()
    expect(page.seen.at(-1)).toBe('hi done, Hel cut')
    expect((await graph.getState('t'))?.values['messages']).toMatchObject([
      { id: 'q' },
      { content: 'Hel', status: 'cut' },
    ])
  })

  test('of a graph that it calls as a function is not on its page', async () => {
    const model = fromAsyncIterable(async function* () {
      yield await Promise.resolve('said below')
    })
    const child = new StateGraph(schema())
      .addNode('talk', async (_s, ctx) => ({ messages: await model.invoke('hi', { ctx }) }))
      .addEdge(START, 'talk')
      .compile()
    const graph = new StateGraph(schema())
      .addNode('call', async (_s, ctx) => void (await ctx.run(child, {})))
      .addEdge(START, 'call')
      .compile()
    const page = new Page()
    await page.read(graph.events(asked))
    expect(page.seen).toEqual(['', 'hi done'])
  })
})
