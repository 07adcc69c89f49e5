// @vitest-environment jsdom
import { END, messages, scriptedModel, Send, START, state, StateGraph } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { seeded } from '../../stack/seeded.ts'
import { ANSWER, chat } from './graphs.ts'
import { advance, rigs } from './rig.tsx'

const rig = rigs()
const failing = (failAfter: number) => ({
  text: 'ghost of a word',
  failAfter,
  error: new RivuletError('PROVIDER_FAILED', 'the provider hung up', { retryable: true }),
})

test('[row 1] a provider whose stream breaks is a typed error with its node, once its retries are used up', async () => {
  let attempts = 0
  const graph = chat({
    turns: () => failing(2),
    retry: { attempts: 3, delayMs: 10, jitter: false },
    before: () => attempts++,
  })
  const page = rig(graph).page()
  void page.stream.submit({ messages: 'hi' })
  await advance(1000)
  expect(attempts).toBe(3)
  expect(page.stream.status).toBe('error')
  expect(page.stream.error).toMatchObject({ code: 'PROVIDER_FAILED', node: 'talk' })
})

test('[row 2] what a failed attempt said leaves the page, and only the next one’s words stay', async () => {
  const turns = [failing(2), ANSWER]
  const page = rig(chat({ turns, delayMs: 20, retry: { attempts: 2, delayMs: 100, jitter: false } })).page()
  void page.stream.submit({ messages: 'hi' })
  await advance(800)
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.shown.some((texts) => texts.at(-1)?.startsWith('ghost'))).toBe(true)
  expect(page.shown.filter((texts) => texts.some((text) => /ghost.*river|river.*ghost/.test(text)))).toEqual([])
  expect(page.shown.filter((texts) => texts.length > 2)).toEqual([])
})

test('[row 3] a node that goes on after it was stopped is heard no more', async () => {
  const model = scriptedModel(ANSWER, { delayMs: 20 })
  const heard: string[] = []
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('deaf', async (_state, ctx) => {
      const said = await model.invoke('hi', { signal: new AbortController().signal }).finally(() => heard.push('end'))
      ctx.writer({ late: true })
      return { messages: [said] }
    })
    .addEdge(START, 'deaf')
    .compile()
  const made = rig(graph)
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(60)
  void page.stream.stop()
  await advance(10_000)
  const stopped = page.texts
  await advance(10_000)
  expect(page.texts).toEqual(stopped)
  expect(page.stream.isLoading).toBe(false)
  const { events } = await (await made.store.openLog('', 'thread')).read(0, 1000)
  expect(events.at(-1)).toMatchObject({ type: 'run.end', status: 'cancelled' })
})

test('[row 5] what is no JSON becomes an error of its own, and the run goes on', async () => {
  const cycle: { self?: unknown } = {}
  cycle.self = cycle
  const told: string[] = []
  const graph = chat({
    before: (ctx) => {
      for (const data of [10n, cycle, () => 1, Symbol('x')]) ctx.writer(data)
    },
  })
  const page = rig(graph).page({
    options: { onEvent: (event) => event.type === 'error' && told.push(event.error.code) },
  })
  void page.stream.submit({ messages: 'hi' })
  await advance(2000)
  expect(told).toEqual(Array.from({ length: 4 }, () => 'UNSERIALIZABLE'))
  expect(page.texts).toEqual(['hi', ANSWER])
  expect(page.stream.status).toBe('idle')
})

test('[row 6] nodes side by side keep their own order, and every reader sees the same one', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const random = seeded(seed)
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('fan', () => ({}))
      .addNode('part', async () => {
        const text = Array.from({ length: 6 }, (_, i) => `${i} `)
        return { messages: [await scriptedModel({ text, delayMs: 1 + random.below(9) }).invoke('go')] }
      })
      .addEdge(START, 'fan')
      .addConditionalEdges('fan', () => Array.from({ length: 4 }, () => new Send('part', {})))
      .addEdge('part', END)
      .compile()
    const made = rig(graph)
    const orders: string[][] = [[], []]
    const options = (order: string[]) => ({
      options: { onEvent: (event: object) => order.push(JSON.stringify(event)) },
    })
    const one = made.page(options(orders[0]!))
    void one.stream.submit({ messages: 'hi' })
    await advance(0)
    const other = made.page(options(orders[1]!))
    await advance(300)
    expect(one.texts.slice(1)).toEqual(Array.from({ length: 4 }, () => '0 1 2 3 4 5 '))
    expect([one.told, other.told]).toEqual([await made.toldByLog(), await made.toldByLog()])
    // Whoever came later began with a snapshot; of deltas that were sent it as one there is still one end.
    const [all, some] = orders.map((order) => order.filter((event) => event.includes('message.end')))
    expect(all).toHaveLength(4)
    expect(some!.length).toBeGreaterThan(0)
    expect(all!.slice(-some!.length)).toEqual(some)
    one.unmount()
    other.unmount()
  }
})
