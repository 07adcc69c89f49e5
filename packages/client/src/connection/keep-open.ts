import { RivuletError, toRivuletError, type Frame } from '@rivulet/protocol'
import { nextConnection, type Closed, type Connection, type Happening, type RetryPolicy } from './connection.ts'
import { behindAfter, healthOfPhase, idleHealth, type ConnectionHealth } from './health.ts'
import { readFrames } from './read-frames.ts'
import type { Timing } from './timing.ts'
import { createWatchdog, MISSED_HEARTBEATS } from './watchdog.ts'

/** What a frame meant to whoever took it in. */
export type Received = 'nothing' | 'progress' | 'done'

/** What is to be kept open, and who is told. */
export interface Link {
  /** Opens one body, going on from wherever the reader stands. */
  open(signal: AbortSignal): AsyncIterable<Frame>
  /** Takes one frame in. A `RivuletError` it throws drops the connection. */
  receive(frame: Frame): Received
  /** Told of every change of health. */
  report(health: ConnectionHealth): void
  /** Interval of the other side's heartbeats in milliseconds; without one the policy says how long it may be silent. */
  heartbeatMs: number | undefined
  /** Events a second beyond which it closes with `LIMIT_EXCEEDED`. */
  maxEventsPerSecond: number
}

/**
 * Keeps a stream open over as many bodies as it takes: until the receiver is done, the signal aborts, the error is one
 * that trying again cannot mend, or the retries are used up. Resolves with how it closed; never rejects.
 */
export async function keepOpen(link: Link, policy: RetryPolicy, timing: Timing, signal: AbortSignal): Promise<Closed> {
  let connection: Connection = { phase: 'idle' }
  let health = idleHealth
  const note = (change: Partial<ConnectionHealth>) => {
    health = { ...health, ...change }
    link.report(health)
  }
  const move = (happening: Happening): Connection => {
    const next = nextConnection(connection, happening, policy)
    if (next !== connection) note(healthOfPhase(next, timing.epochMs()))
    connection = next
    return next
  }
  for (;;) {
    if (!signal.aborted) move({ type: 'dialled' })
    const now = move(
      signal.aborted ? { type: 'cancelled' } : await readOnce(link, policy, timing, signal, move, note, () => health),
    )
    if (now.phase === 'closed') return now
    // Nothing else comes of a body that was read.
    /* v8 ignore else -- @preserve */
    if ('delayMs' in now) await pause(now.delayMs, timing, signal)
  }
}

/** Reads one body to its end and tells what that end was. */
async function readOnce(
  link: Link,
  { maxSilenceMs }: RetryPolicy,
  timing: Timing,
  signal: AbortSignal,
  move: (happening: Happening) => Connection,
  note: (change: Partial<ConnectionHealth>) => void,
  health: () => ConnectionHealth,
): Promise<Happening> {
  const body = new AbortController()
  const stop = () => body.abort(signal.reason)
  signal.addEventListener('abort', stop)
  const silenceMs = link.heartbeatMs === undefined ? maxSilenceMs : link.heartbeatMs * MISSED_HEARTBEATS
  const watchdog = createWatchdog(timing, silenceMs, () => {
    note({ stalled: true })
    body.abort(new RivuletError('DISCONNECTED', 'nothing was heard for too long', { retryable: true }))
  })
  const count = createCounter(timing, link.maxEventsPerSecond)
  let retryAfterMs: number | undefined
  const take = (frame: Frame) => {
    watchdog.heard()
    if (frame.type === 'events') count(frame.events.length)
    const before = health()
    if (frame.type === 'retry') retryAfterMs = frame.delayMs
    else move({ type: 'opened' })
    const behind = behindAfter(frame, before.behind)
    // Not for each frame: a health that changed with every token would wake whoever shows it with every token.
    if (frame.type === 'at' || behind !== before.behind || before.stalled || health() !== before) {
      note({ behind, stalled: false, lastByteAt: timing.epochMs() })
    }
    const received = link.receive(frame)
    if (received === 'progress') move({ type: 'progressed' })
    return received === 'done'
  }
  try {
    if (await readFrames(() => link.open(body.signal), body.signal, take)) return { type: 'finished' }
    throw new RivuletError('DISCONNECTED', 'the stream ended before it was complete', { retryable: true })
  } catch (thrown) {
    if (signal.aborted) return { type: 'cancelled' }
    const error = toRivuletError(thrown, 'DISCONNECTED', { retryable: true })
    const isOffline = timing.isOnline?.() === false
    return { type: 'dropped', error, jitter: timing.random(), nowMs: timing.now(), retryAfterMs, isOffline }
  } finally {
    watchdog.stop()
    signal.removeEventListener('abort', stop)
    body.abort()
  }
}

/** Counts what comes within a second. Throws `LIMIT_EXCEEDED` above the limit. */
function createCounter(timing: Timing, limit: number): (events: number) => void {
  let since = timing.now()
  let counted = 0
  return (events) => {
    const now = timing.now()
    if (now - since >= 1000) {
      since = now
      counted = 0
    }
    counted += events
    if (counted > limit) throw new RivuletError('LIMIT_EXCEEDED', `more than ${limit} events came within a second`)
  }
}

/** Waits out a delay; the network's return, a page that is looked at again and the signal end it early. */
function pause(delayMs: number, timing: Timing, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      cancelTimer()
      cancelWake()
      signal.removeEventListener('abort', done)
      resolve()
    }
    const cancelTimer = timing.after(delayMs, done)
    const cancelWake = timing.onWake(done)
    signal.addEventListener('abort', done)
    if (signal.aborted) done()
  })
}
