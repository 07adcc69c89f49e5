import { RivuletError, type Frame } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { fakeTiming, settled } from '../../test/fake-timing.ts'
import { createPump, eventsFrame, LOG, sync } from '../../test/pump.ts'
import { defaultRetryPolicy } from './connection.ts'
import type { ConnectionHealth } from './health.ts'
import { keepOpen, type Received } from './keep-open.ts'

const frame = eventsFrame()
const beat: Frame = { type: 'at', log: LOG, seq: 1 }

interface Options {
  receive?: () => Received
  heartbeatMs?: number
  onReport?: (health: ConnectionHealth, controller: AbortController) => void
}

function kept({ receive = () => 'nothing', heartbeatMs, onReport = () => {} }: Options = {}) {
  const timing = fakeTiming()
  const pump = createPump()
  const controller = new AbortController()
  const reports: ConnectionHealth[] = []
  const link = {
    heartbeatMs,
    maxEventsPerSecond: 100,
    open: (signal: AbortSignal) => pump.transport.open({ thread: 't' }, { signal, after: undefined }),
    receive,
    report: (health: ConnectionHealth) => {
      reports.push(health)
      onReport(health, controller)
    },
  }
  const closed = keepOpen(link, defaultRetryPolicy, timing, controller.signal)
  return {
    timing,
    pump,
    controller,
    closed,
    phases: () => reports.map(({ phase }) => phase),
    health: () => reports.at(-1)!,
  }
}

test('a body that ends too early is opened again', async () => {
  const { pump, timing, phases, health } = kept()
  pump.body.send(frame)
  await settled()
  pump.body.end()
  await settled()
  expect(health()).toMatchObject({
    phase: 'waiting',
    attempt: 1,
    nextRetryAt: 1_000_250,
    error: { code: 'DISCONNECTED' },
  })
  await timing.advance(249)
  expect(pump.bodies).toHaveLength(1)
  await timing.advance(1)
  expect(pump.bodies).toHaveLength(2)
  pump.body.send(frame)
  await settled()
  expect(phases()).toEqual(['connecting', 'open', 'open', 'waiting', 'connecting', 'open', 'open'])
  expect(health()).toMatchObject({ phase: 'open', nextRetryAt: undefined, error: undefined })
})

test('one who leaves on hearing of a wait is not kept waiting', async () => {
  const { pump, closed, timing } = kept({
    onReport: ({ phase }, controller) => void (phase === 'waiting' && controller.abort()),
  })
  pump.body.end()
  expect(await closed).toEqual({ phase: 'closed', reason: 'cancelled' })
  expect(timing.delays).toEqual([])
})

test('it closes when the receiver has enough', async () => {
  const { pump, closed, timing } = kept({ receive: () => 'done' })
  pump.body.send(frame)
  expect(await closed).toEqual({ phase: 'closed', reason: 'done' })
  expect(pump.body.signal.aborted).toBe(true)
  expect(timing.delays).toEqual([])
})

test('what trying again cannot mend closes it', async () => {
  const error = new RivuletError('FORBIDDEN', 'not yours')
  const { pump, closed } = kept()
  pump.body.fail(error)
  expect(await closed).toEqual({ phase: 'closed', reason: 'failed', error })
})

test('an error of unknown kind counts as a lost connection', async () => {
  const { pump, health } = kept()
  pump.body.fail(new TypeError('fetch failed'))
  await settled()
  expect(health()).toMatchObject({
    phase: 'waiting',
    error: { code: 'DISCONNECTED', retryable: true, message: 'fetch failed' },
  })
})

test('a receiver that throws drops the connection', async () => {
  const gap = new RivuletError('STREAM_GAP', 'something is missing', { retryable: true })
  const { pump, health } = kept({
    receive: () => {
      throw gap
    },
  })
  pump.body.send(frame)
  await settled()
  expect(health()).toMatchObject({ phase: 'waiting', error: gap })
})

test('a server that is about to close says when to come back', async () => {
  const { pump, health } = kept()
  pump.body.send({ type: 'retry', delayMs: 3000 })
  pump.body.end()
  await settled()
  expect(health().nextRetryAt).toBe(1_003_250)
})

test('the network’s return ends a wait', async () => {
  const { pump, timing } = kept()
  pump.body.end()
  await settled()
  timing.wake()
  await settled()
  expect(pump.bodies).toHaveLength(2)
  expect(timing.delays).toEqual([defaultRetryPolicy.maxSilenceMs])
})

test('without a network it waits for one, however often that fails, and counts no attempt', async () => {
  const { pump, timing, health } = kept()
  timing.online = false
  for (let drop = 0; drop <= defaultRetryPolicy.maxAttempts; drop++) {
    pump.body.end()
    await settled()
    expect(health()).toMatchObject({ phase: 'offline', attempt: 0, nextRetryAt: expect.any(Number) as number })
    await timing.advance(10_000)
  }
  timing.online = true
  pump.body.end()
  await settled()
  expect(health()).toMatchObject({ phase: 'waiting', attempt: 1 })
  timing.wake()
  await settled()
  pump.body.send(frame)
  await settled()
  expect(health()).toMatchObject({ phase: 'open' })
})

test('a page that was asleep notices a dead connection when it is looked at again', async () => {
  const { pump, timing, health } = kept({ heartbeatMs: 1000 })
  pump.body.send(beat)
  await settled()
  // Timers of a hidden page do not run; the clock does.
  timing.jump(600_000)
  timing.wake()
  await settled()
  expect(health()).toMatchObject({ phase: 'waiting', stalled: true })
  timing.wake()
  await settled()
  expect(pump.bodies).toHaveLength(2)
})

test('more events a second than allowed end it, as many in more time do not', async () => {
  const slow = kept({ receive: () => 'progress' })
  for (let second = 0; second < 3; second++) {
    slow.pump.body.send(eventsFrame(...Array.from({ length: 100 }, () => sync('live'))))
    await slow.timing.advance(1000)
  }
  expect(slow.health().phase).toBe('open')
  const { pump, closed } = kept({ receive: () => 'progress' })
  for (let i = 0; i < 3; i++) pump.body.send(eventsFrame(...Array.from({ length: 40 }, () => sync('live'))))
  expect(await closed).toMatchObject({ reason: 'failed', error: { code: 'LIMIT_EXCEEDED', retryable: false } })
})

test('it gives up when the retries are used up', async () => {
  const { pump, timing, closed } = kept()
  for (let attempt = 0; attempt <= defaultRetryPolicy.maxAttempts; attempt++) {
    pump.body.end()
    await settled()
    await timing.advance(10_000)
  }
  expect(await closed).toMatchObject({ phase: 'closed', reason: 'failed', error: { code: 'DISCONNECTED' } })
  expect(pump.bodies).toHaveLength(defaultRetryPolicy.maxAttempts + 1)
})

test('drops with progress between them are never too many', async () => {
  const { pump, timing, health } = kept({ receive: () => 'progress' })
  for (let attempt = 0; attempt < 50; attempt++) {
    pump.body.send(frame)
    await settled()
    pump.body.end()
    await settled()
    await timing.advance(250)
  }
  expect(pump.bodies).toHaveLength(51)
  expect(health().phase).toBe('connecting')
})

test.each(['before the first byte', 'after some frames'])('silence %s is a stall', async (when) => {
  const { pump, timing, health } = kept({ heartbeatMs: 1000 })
  if (when === 'after some frames') {
    await timing.advance(2000)
    pump.body.send(beat)
    await settled()
  }
  await timing.advance(2499)
  expect(health().stalled).toBe(false)
  expect(pump.bodies).toHaveLength(1)
  await timing.advance(1)
  expect(health()).toMatchObject({ phase: 'waiting', stalled: true })
  expect(pump.bodies[0]!.signal.aborted).toBe(true)
  await timing.advance(250)
  pump.body.send(beat)
  await settled()
  expect(health()).toMatchObject({ phase: 'open', stalled: false })
})

test('without heartbeats a longer silence is a stall', async () => {
  const { pump, timing, health } = kept()
  await timing.advance(119_999)
  expect(pump.bodies).toHaveLength(1)
  await timing.advance(1)
  expect(health()).toMatchObject({ phase: 'waiting', stalled: true })
})

test('where silence is never a stall there is no timer', async () => {
  const { pump, timing } = kept({ heartbeatMs: Infinity })
  expect(timing.delays).toEqual([])
  await timing.advance(1e9)
  expect(pump.bodies).toHaveLength(1)
})

test('tokens arm no timer of their own', async () => {
  const { pump, timing } = kept({ heartbeatMs: 1000, receive: () => 'progress' })
  for (let token = 0; token < 100; token++) pump.body.send(frame)
  await settled()
  expect(timing.delays).toEqual([2500])
})

test('tokens do not change the health', async () => {
  const { pump, phases } = kept({ receive: () => 'progress' })
  pump.body.send(frame)
  await settled()
  const before = phases().length
  pump.body.send(frame, frame, frame)
  await settled()
  expect(phases()).toHaveLength(before)
})

test('it is behind from a replay’s start until what is live', async () => {
  const { pump, health } = kept()
  pump.body.send(eventsFrame(sync('replay', 3)))
  await settled()
  expect(health().behind).toBe(true)
  pump.body.send(eventsFrame(sync('live', 5)))
  await settled()
  expect(health().behind).toBe(false)
})

test('a heartbeat tells when something was last heard', async () => {
  const { pump, timing, health } = kept({ heartbeatMs: 1000 })
  await timing.advance(400)
  pump.body.send(beat)
  await settled()
  expect(health().lastByteAt).toBe(1_000_400)
})

test.each(['connecting', 'open', 'waiting'] as const)(
  'an abort while %s closes it and leaves no timer',
  async (phase) => {
    const { pump, timing, controller, closed, health } = kept({ heartbeatMs: 1000 })
    if (phase === 'open') pump.body.send(frame)
    if (phase === 'waiting') pump.body.end()
    await settled()
    expect(health().phase).toBe(phase)
    controller.abort()
    expect(await closed).toEqual({ phase: 'closed', reason: 'cancelled' })
    expect(timing.delays).toEqual([])
    expect(pump.bodies).toHaveLength(1)
  },
)

test('a signal that is aborted already opens nothing', async () => {
  const pump = createPump()
  const link = {
    heartbeatMs: undefined,
    maxEventsPerSecond: 100,
    open: (signal: AbortSignal) => pump.transport.open({ thread: 't' }, { signal, after: undefined }),
    receive: (): Received => 'nothing',
    report: () => {},
  }
  const closed = await keepOpen(link, defaultRetryPolicy, fakeTiming(), AbortSignal.abort())
  expect(closed).toEqual({ phase: 'closed', reason: 'cancelled' })
  expect(pump.bodies).toEqual([])
})
