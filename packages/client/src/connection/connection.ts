import { RivuletError } from '@rivulet/protocol'

/**
 * Where a connection stands. `attempt` counts the drops since it last made progress, `since` is when the first of them
 * was. `offline` waits for the network, and dials now and then in case that was wrong.
 */
export type Connection =
  | { phase: 'idle' }
  | { phase: 'connecting' | 'open'; attempt: number; since?: number | undefined }
  | { phase: 'waiting' | 'offline'; attempt: number; since: number; delayMs: number; error: RivuletError }
  | Closed

/** The end of a connection: nothing comes after it. */
export type Closed =
  | { phase: 'closed'; reason: 'done' | 'cancelled' }
  | { phase: 'closed'; reason: 'failed'; error: RivuletError }

/** What can happen to a connection. */
export type Happening =
  | { type: 'dialled' }
  /** The first frame of a body came. */
  | { type: 'opened' }
  /** Something new came: earlier drops are forgiven. */
  | { type: 'progressed' }
  | Dropped
  | { type: 'finished' }
  | { type: 'cancelled' }

/** A body ended before its time, or none came. */
export interface Dropped {
  type: 'dropped'
  error: RivuletError
  /** A random number from 0 up to 1. */
  jitter: number
  /** Milliseconds of a clock that only grows. */
  nowMs: number
  /** What the server asked for. */
  retryAfterMs?: number | undefined
  /** The platform says that there is no network. */
  isOffline?: boolean | undefined
}

/** How long and how often a dropped connection is tried again. */
export interface RetryPolicy {
  /** Drops in a row without progress before it gives up. Default 10. */
  maxAttempts: number
  /** Longest time without progress, from the first drop on, before it gives up. Default: none. */
  budgetMs: number
  /** Longest wait before the first retry; it doubles with each drop. Default 250. */
  firstDelayMs: number
  /** Longest wait of our own making. Default 10,000. */
  maxDelayMs: number
  /** Longest wait that a server may ask for. Default 60,000. */
  maxRetryAfterMs: number
  /**
   * Longest silence of a backend that says nothing of heartbeats before it counts as stalled. Default 120,000. A
   * transport that cannot be opened again in the middle sets its `heartbeatMs` to `Infinity`.
   */
  maxSilenceMs: number
}

/** The policy when nothing else is said: about a minute of trying. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 10,
  budgetMs: Infinity,
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  maxRetryAfterMs: 60_000,
  maxSilenceMs: 120_000,
}

/** The phase after something happened. `closed` is final; the same object comes back when nothing changed. */
export function nextConnection(from: Connection, happening: Happening, policy: RetryPolicy): Connection {
  if (from.phase === 'closed') return from
  const { attempt = 0, since } = from.phase === 'idle' ? {} : from
  const isOpen = from.phase === 'open'
  switch (happening.type) {
    case 'dialled':
      return { phase: 'connecting', attempt, since }
    case 'opened':
      return isOpen ? from : { phase: 'open', attempt, since }
    case 'progressed':
      return isOpen && attempt === 0 ? from : { phase: 'open', attempt: 0 }
    case 'dropped':
      return afterDrop(attempt, happening, policy, since)
    default:
      return { phase: 'closed', reason: happening.type === 'finished' ? 'done' : 'cancelled' }
  }
}

function afterDrop(before: number, drop: Dropped, policy: RetryPolicy, since: number = drop.nowMs): Connection {
  const { error, jitter, nowMs, retryAfterMs, isOffline } = drop
  if (!error.retryable) return { phase: 'closed', reason: 'failed', error }
  // What fails for want of a network says nothing of the backend, and is not counted.
  if (isOffline) return { phase: 'offline', attempt: before, since: nowMs, delayMs: policy.maxDelayMs, error }
  const attempt = before + 1
  if (attempt > policy.maxAttempts || nowMs - since > policy.budgetMs) {
    const { run, message } = error
    const details = { retryable: true, run, cause: error }
    const gaveUp = new RivuletError('DISCONNECTED', `gave up after ${before} retries: ${message}`, details)
    return { phase: 'closed', reason: 'failed', error: gaveUp }
  }
  const longest = Math.min(policy.firstDelayMs * 2 ** before, policy.maxDelayMs)
  const asked = Math.min(retryAfterMs ?? 0, policy.maxRetryAfterMs)
  return { phase: 'waiting', attempt, since, delayMs: asked + (longest * (1 + jitter)) / 2, error }
}
