// @vitest-environment jsdom
import { createAgent, messages, scriptedModel, START, state, StateGraph, tool, value } from '@rivulet/core'
import { createApp } from '@rivulet/server'
import { expect, test } from 'vitest'
import { ANSWER, chat } from './graphs.ts'
import { advance, rigs } from './rig.tsx'

const rig = rigs()

test('[row 14] a second run while one is under way: refused, queued, in its place, or as if it had not been', async () => {
  const talk = (multitask: 'reject' | 'enqueue' | 'interrupt' | 'rollback') => async () => {
    const made = rig(chat({ turns: ['one one one one', 'two'], delayMs: 40 }))
    const page = made.page()
    void page.stream.submit({ messages: 'a' })
    await advance(80)
    const second = page.stream.submit({ messages: 'b' }, { multitask })
    await advance(4000)
    page.unmount()
    return [...page.texts, (await second.result).error?.code]
  }
  expect(await talk('reject')()).toEqual(['a', 'one one one one', 'b', 'RUN_CONFLICT'])
  expect(await talk('enqueue')()).toEqual(['a', 'one one one one', 'b', 'two', undefined])
  expect(await talk('interrupt')()).toEqual(['a', expect.stringMatching(/^one/), 'b', 'two', undefined])
  expect(await talk('rollback')()).toEqual(['b', 'two', undefined])
})

test('[row 41] a page in StrictMode, shown again, has one run, one connection and its text once', async () => {
  let runs = 0
  const made = rig(chat({ before: () => runs++ }))
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(100)
  page.unmount()
  const again = made.page()
  await advance(3000)
  expect(again.texts).toEqual(['hi', ANSWER])
  expect(runs).toBe(1)
  expect([...page.exchanges, ...again.exchanges].filter(({ isOpen }) => isOpen)).toHaveLength(1)
})

test('[row 42] leaving the page closes its connection within 50 ms, and the run goes on', async () => {
  const made = rig(chat())
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(100)
  page.unmount()
  await advance(10)
  expect(page.exchanges.filter(({ isOpen }) => isOpen)).toEqual([])
  expect(made.app.openStreams).toBe(0)
  await advance(3000)
  const back = made.page()
  await advance(100)
  expect(back.texts).toEqual(['hi', ANSWER])
})

test('[row 43] another thread in the middle of an answer shows nothing of it, and coming back shows all of it', async () => {
  const made = rig(chat({ turns: [ANSWER, 'other words'] }))
  const page = made.page({ options: { threadId: 'one' } })
  void page.stream.submit({ messages: 'hi' })
  await advance(100)
  page.show({ threadId: 'two' })
  const from = page.shown.length
  void page.stream.submit({ messages: 'ho' })
  await advance(200)
  expect(page.texts).toEqual(['ho', 'other words'])
  expect(
    page.shown
      .slice(from)
      .flat()
      .filter((text) => text.includes('river')),
  ).toEqual([])
  page.show({ threadId: 'one' })
  await advance(3000)
  expect(page.texts).toEqual(['hi', ANSWER])
})

test('[row 44] a stop during a tool call reaches the tool, keeps what was said, and leaves the thread usable', async () => {
  const stopped: string[] = []
  const slow = tool(
    (_args, ctx) =>
      new Promise((_resolve, reject) => {
        ctx.signal.addEventListener('abort', () => {
          stopped.push('tool')
          reject(ctx.signal.reason as Error)
        })
      }),
    { name: 'slow', description: 'takes for ever' },
  )
  const model = scriptedModel([{ text: 'Let me look.', toolCalls: [{ name: 'slow' }] }, 'All well.'])
  const made = rig(createAgent({ model, tools: [slow] }))
  const page = made.page()
  void page.stream.submit({ messages: 'hi' })
  await advance(200)
  void page.stream.stop()
  await advance(200)
  expect(stopped).toEqual(['tool'])
  expect(page.stream.status).toBe('idle')
  expect(page.texts.slice(0, 2)).toEqual(['hi', 'Let me look.'])
  void page.stream.submit({ messages: 'again' })
  await advance(500)
  expect(page.texts.at(-1)).toBe('All well.')
})

test('[row 45] two pages of one thread come to the same, whoever asks', async () => {
  const made = rig(chat({ turns: ['first answer', 'second answer'] }))
  const [one, other] = [made.page(), made.page()]
  await advance(0)
  void one.stream.submit({ messages: 'a' })
  await advance(2000)
  void other.stream.submit({ messages: 'b' })
  await advance(2000)
  expect(one.texts).toEqual(['a', 'first answer', 'b', 'second answer'])
  expect(one.told).toBe(other.told)
  expect(one.told).toBe(await made.toldByLog())
})

test('[row 46] a hundred thousand tokens are drawn at most once a frame, and the last one soon after it came', async () => {
  const tokens = 100_000
  const chunks = Array.from({ length: tokens }, (_, i) => (i % 10 === 0 ? '. ' : 'word '))
  const made = rig(chat({ turns: { text: chunks }, delayMs: 0 }))
  const page = made.page()
  const began = performance.now()
  void page.stream.submit({ messages: 'hi' })
  for (let i = 0; i < 200 && page.texts[1]?.length !== chunks.join('').length; i++) await advance(100)
  const seconds = (performance.now() - began) / 1000
  expect(page.texts[1]).toBe(chunks.join(''))
  // Twice each in StrictMode; one more for each change of status.
  expect(page.renders / 2).toBeLessThan(60 * seconds + 10)
})

test('[row 48] a question outlives its server, and is answered once', async () => {
  const effects: string[] = []
  const graph = new StateGraph(state({ messages: messages(), said: value<string>() }))
    .addNode('ask', (_state, ctx) => {
      const said = String(ctx.interrupt('send it?'))
      effects.push(said)
      return { said, messages: [{ role: 'assistant', content: `sent: ${said}` }] }
    })
    .addEdge(START, 'ask')
    .compile()
  const made = rig(graph)
  const one = made.page()
  void one.stream.submit({ messages: 'hi' })
  await advance(500)
  const other = made.page()
  made.replace(createApp({ graphs: { chat: graph }, store: made.store }))
  await made.app.close({ graceMs: 0 })
  await advance(2000)
  expect(other.stream.interrupts.map(({ value }) => value)).toEqual(['send it?'])
  const answers = [one.stream.respond('yes'), other.stream.respond('no')]
  await advance(5000)
  const outcomes = await Promise.all(answers.map(async ({ result }) => (await result).error?.code))
  expect(effects).toHaveLength(1)
  expect(outcomes.filter((code) => code === undefined)).toHaveLength(1)
  expect(one.texts).toEqual(['hi', `sent: ${effects[0]}`])
  expect(one.told).toBe(other.told)
})
