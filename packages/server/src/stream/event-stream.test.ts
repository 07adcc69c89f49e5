import { memoryLog, readLog, RivuletError, type EventLog, type Frame, type RunEvent } from '@rivulet/protocol'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { EventStream, type EventStreamOptions } from './event-stream.ts'
import { streamBody } from './stream-body.ts'

const custom = (data: unknown): RunEvent => ({ type: 'custom', run: 'r', data })

/** A log that can only be waited for and read by promises. */
function unwatched(log: EventLog): EventLog {
  const copy = { ...log }
  delete copy.watch
  delete copy.held
  return copy
}

interface Opened {
  stream: EventStream
  ended: number
  errors: unknown[]
}

function open(log: EventLog, options: Partial<EventStreamOptions> = {}): Opened {
  const stop = new AbortController()
  const opened = { ended: 0, errors: [] as unknown[] }
  const stream = new EventStream({
    reader: readLog(log, { after: 0 }, stop.signal),
    log: log.id,
    stop,
    heartbeatMs: 100,
    stallMs: 250,
    onEnd: () => opened.ended++,
    onError: (error) => opened.errors.push(error),
    ...options,
  })
  return Object.assign(opened, { stream })
}

/** A stream that has said where it stands and has nothing more to say. */
async function openIdle(options?: Partial<EventStreamOptions>, pieces = 2): Promise<Opened & { log: EventLog }> {
  const log = memoryLog({ id: 'log' })
  const opened = open(log, options)
  for (let i = 0; i < pieces; i++) await opened.stream.next()
  return Object.assign(opened, { log })
}

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

describe('a stream', () => {
  test('is the frames of its reader', async () => {
    const { stream, log } = await openIdle()
    const next = stream.next()
    await log.append([custom(1)])
    expect(await next).toBe('id: log.1\nevent: custom\ndata: {"data":1,"run":"r"}\n\n')
    stream.end()
  })

  test('beats while there is nothing to say, and the next event is not lost to the beat', async () => {
    const { stream, log } = await openIdle()
    const beat = stream.next()
    await vi.advanceTimersByTimeAsync(99)
    const early = vi.fn<(text: string | undefined) => void>()
    void beat.then(early)
    await vi.advanceTimersByTimeAsync(0)
    expect(early).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(await beat).toBe(': at log.0\n\n')
    await log.append([custom(1)])
    expect(await stream.next()).toContain('id: log.1\n')
    stream.end()
  })

  test('does not beat while something is queued for its reader', async () => {
    const { stream, log } = await openIdle()
    const waiting = stream.next()
    await log.append([custom(1)])
    await waiting
    await log.append([custom(2)])
    await vi.advanceTimersByTimeAsync(200)
    expect(await stream.next()).toContain('id: log.2\n')
    const beat = stream.next()
    await vi.advanceTimersByTimeAsync(100)
    expect(await beat).toBe(': at log.2\n\n')
    stream.end()
  })

  test('[row 15] that nobody takes anything from is told so and ends', async () => {
    const opened = await openIdle()
    await vi.advanceTimersByTimeAsync(200)
    expect(opened.ended).toBe(0)
    await vi.advanceTimersByTimeAsync(100)
    expect(opened.ended).toBe(1)
    expect(opened.stream.ended.aborted).toBe(true)
    expect(await opened.stream.next()).toMatch(
      /^event: error\ndata: \{"code":"SLOW_CONSUMER",.*"retryable":true\}\n\n$/,
    )
    expect(await opened.stream.next()).toBeUndefined()
    expect(vi.getTimerCount()).toBe(0)
  })

  test('that is taken from slowly goes on', async () => {
    const opened = await openIdle()
    for (let i = 0; i < 10; i++) {
      await opened.log.append([custom(i)])
      await opened.stream.next()
      await vi.advanceTimersByTimeAsync(200)
    }
    expect(opened.ended).toBe(0)
    opened.stream.end()
  })

  test('never has an empty piece, which would end a body: what its wire does not tell is passed over', async () => {
    const data = (frame: Frame): string =>
      frame.type === 'events' ? frame.events.map((event) => ('data' in event ? String(event.data) : '')).join('') : ''
    const { stream, log } = await openIdle({ wire: { frame: data, fatal: () => '' } }, 0)
    const next = stream.next()
    await vi.advanceTimersByTimeAsync(100)
    await log.append([custom('')])
    await log.append([custom('told')])
    expect(await next).toBe('told')
    const last = stream.next()
    stream.end(new RivuletError('SLOW_CONSUMER', 'too slow', { retryable: true }))
    expect(await last).toBeUndefined()
  })

  test('ends when it is told to, with a last word for whoever waits', async () => {
    const opened = await openIdle()
    const waiting = opened.stream.next()
    opened.stream.end({ type: 'retry', delayMs: 1 })
    opened.stream.end({ type: 'retry', delayMs: 2 })
    expect(await waiting).toBe('retry: 1\n\n')
    expect(await opened.stream.next()).toBeUndefined()
    expect(opened.ended).toBe(1)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('whose log fails says only that, and reports why', async () => {
    const secret = new Error('disk /var/secret is gone')
    const log: EventLog = { ...unwatched(memoryLog({ id: 'log' })), waitFor: () => Promise.reject(secret) }
    const { stream, errors } = open(log)
    await stream.next()
    await stream.next()
    const last = await stream.next()
    expect(last).toMatch(/^event: error\ndata: \{"code":"INTERNAL"/)
    expect(last).not.toContain('secret')
    expect(errors).toEqual([secret])
    expect(await stream.next()).toBeUndefined()
  })

  test('whose event cannot be written ends with a typed error, too', async () => {
    const log = memoryLog({ id: 'log' })
    const odd: EventLog = {
      ...unwatched(log),
      head: () => 1,
      read: async () => ({ events: [{ ...custom(1n), seq: 1 }], head: 1 }),
    }
    const { stream, errors } = open(odd)
    await stream.next()
    expect(await stream.next()).toContain('"code":"INTERNAL"')
    expect(errors).toHaveLength(1)
  })
})

describe('as a body', () => {
  test('nothing is read before it is asked for, and leaving it ends the stream', async () => {
    const log = memoryLog({ id: 'log' })
    const reads = vi.spyOn(log, 'read')
    const opened = open(log)
    const reader = streamBody(opened.stream).getReader()
    await vi.advanceTimersByTimeAsync(0)
    expect(reads).not.toHaveBeenCalled()
    const { value } = await reader.read()
    expect(new TextDecoder().decode(value)).toContain('event: sync')
    await reader.cancel()
    expect(opened.ended).toBe(1)
  })

  test('it ends with the stream', async () => {
    const { stream } = await openIdle()
    const reader = streamBody(stream).getReader()
    const read = reader.read()
    stream.end()
    expect(await read).toEqual({ done: true, value: undefined })
  })
})
