import { createClient, type Client } from '@rivulet/client'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { faults } from '../faults/faults.ts'
import { memoryTransport } from '../delivery/memory-transport.ts'
import { script } from '../script/script.ts'
import { pump, type Pump } from './pump.ts'

afterEach(() => {
  vi.useRealTimers()
})

function clientOf(p: Pump, options: Parameters<typeof memoryTransport>[1] = {}): Client {
  return createClient({ transport: memoryTransport(p, options), timing: p.timing })
}

const chat = script().run('hi').token('Hel').token('lo').end()

describe('a pump', () => {
  test('lets one event through at a time, and says which', async () => {
    const p = pump({ t: chat })
    expect((await p.next())?.type).toBe('run.start')
    expect((await p.next())?.type).toBe('message')
    expect((await p.drain()).map(({ type }) => type)).toContain('message.delta')
    expect(await p.next()).toBeUndefined()
    expect(await p.drain()).toEqual([])
  })

  test('says what came when what it waits for does not', async () => {
    const p = pump({ t: script().run('hi').end() })
    await expect(p.until('interrupt')).rejects.toThrow(
      'interrupt never came; the script said run.start, message, values, run.end',
    )
    await expect(p.until(() => false)).rejects.toMatchObject({ code: 'INVALID_INPUT' })
  })

  test('stops where the script waits for the page, and takes the page’s input', async () => {
    const p = pump({ t: chat.run().token('Mine').end() })
    const thread = clientOf(p).thread({ graph: 'agent', threadId: 't' })
    thread.follow()
    await p.drain()
    expect(thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Hello'])
    thread.submit({ messages: 'go on' })
    await p.drain()
    expect(thread.getSnapshot().messages.map(({ content }) => content)).toEqual(['hi', 'Hello', 'go on', 'Mine'])
    thread.dispose()
  })

  test('plays several threads, each by its own', async () => {
    const p = pump({ a: chat, b: chat })
    await p.until('message.delta', { thread: 'b' })
    const client = clientOf(p)
    const threads = ['a', 'b', 'c'].map((threadId) => client.thread({ graph: 'agent', threadId }))
    for (const thread of threads) thread.follow()
    await p.settle()
    const contents = () => threads.map((thread) => thread.getSnapshot().messages.map(({ content }) => content))
    expect(contents()).toEqual([[], ['hi', 'Hel'], []])
    await p.drain({ thread: 'a' })
    expect(contents()).toEqual([['hi', 'Hello'], ['hi', 'Hel'], []])
    for (const thread of threads) thread.dispose()
  })

  test('begins a script anew on each thread that is opened', async () => {
    const p = pump(chat)
    const client = clientOf(p)
    const threads = ['a', 'b'].map((threadId) => client.thread({ graph: 'agent', threadId }))
    for (const thread of threads) thread.follow()
    await p.drain()
    expect(threads.map((thread) => thread.getSnapshot().messages.length)).toEqual([2, 2])
    for (const thread of threads) thread.dispose()
  })

  test('tells a page that starts a run which the script does not have', async () => {
    const p = pump(script())
    const run = clientOf(p).thread({ graph: 'agent', threadId: 't' }).submit({ messages: 'hi' })
    await p.drain()
    expect((await run.result).error?.message).toBe('a run was started that the script does not have')
  })

  test('ends a run that has no end when it is cancelled, and keeps what was said', async () => {
    const p = pump(script().run().token('Hel'))
    const thread = clientOf(p).thread({ graph: 'agent', threadId: 't' })
    const run = thread.submit({ messages: 'hi' })
    await p.drain()
    const stopped = run.stop()
    await p.settle()
    await stopped
    expect(thread.getSnapshot().messages.at(-1)).toMatchObject({ content: 'Hel', status: 'cut' })
    expect(p.cancelled).toEqual([run.id])
  })

  test('tells what was opened, from where, and whether it still is', async () => {
    const p = pump({ t: chat })
    const thread = clientOf(p, { faults: [faults.cut({ afterEvent: 3 })] }).thread({ graph: 'agent', threadId: 't' })
    thread.follow()
    await p.drain()
    await p.advance(1000)
    expect(p.connections).toMatchObject([
      { thread: 't', after: undefined, isOpen: false },
      { thread: 't', after: 'script1.3', isOpen: true },
    ])
    thread.dispose()
    await p.settle()
    expect(p.connections.some(({ isOpen }) => isOpen)).toBe(false)
  })
})

describe('time', () => {
  test('passes only when it is moved, in order, and lets everything go on in between', async () => {
    const p = pump(chat)
    const heard: string[] = []
    p.timing.after(20, () => heard.push(`late at ${p.timing.now()}`))
    p.timing.after(10, () => {
      heard.push(`early at ${p.timing.now()}`)
      p.timing.after(5, () => heard.push(`next at ${p.timing.now()}`))
    })
    const takeBack = p.timing.after(12, () => heard.push('never'))
    takeBack()
    await p.settle()
    expect(heard).toEqual([])
    await p.advance(16)
    expect(heard).toEqual(['early at 10', 'next at 15'])
    await p.advance(4)
    expect(heard.at(-1)).toBe('late at 20')
    expect(p.timing.now()).toBe(20)
  })

  test('moves the framework’s fake timers along, all of them', async () => {
    vi.useFakeTimers()
    const p = pump({ t: chat })
    const heard: string[] = []
    setTimeout(() => heard.push('timeout'), 40)
    setImmediate(() => heard.push('immediate'))
    await p.next()
    expect(heard).toEqual(['immediate'])
    await p.advance(24)
    expect(heard).toEqual(['immediate', 'timeout'])
  })

  test('of a delay is the pump’s', async () => {
    const p = pump({ t: chat })
    const thread = clientOf(p, { faults: [faults.delay(1000)] }).thread({ graph: 'agent', threadId: 't' })
    thread.follow()
    await p.drain()
    expect(thread.getSnapshot().messages).toEqual([])
    await p.advance(10_000)
    expect(thread.getSnapshot().messages).toHaveLength(2)
    thread.dispose()
  })
})

test('React is not asked for act while a pump works, and is as before when it has', async () => {
  const environment = globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }
  const seen: unknown[] = []
  environment.IS_REACT_ACT_ENVIRONMENT = true
  const p = pump({ t: chat })
  const thread = clientOf(p).thread({ graph: 'agent', threadId: 't' })
  thread.subscribe(() => seen.push(environment.IS_REACT_ACT_ENVIRONMENT))
  thread.follow()
  await p.drain()
  expect(seen.slice(1).every((flag) => flag === false)).toBe(true)
  expect(environment.IS_REACT_ACT_ENVIRONMENT).toBe(true)
  delete environment.IS_REACT_ACT_ENVIRONMENT
  thread.dispose()
})
