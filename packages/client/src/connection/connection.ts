import { RivuletError } from '@rivulet/protocol'

/** Where a connection stands. `attempt` counts the drops since it last made progress. */
export type Connection =
  | { phase: 'idle' }
  | { phase: 'connecting'; attempt: number }
  | { phase: 'open'; attempt: number }
  | { phase: 'waiting'; attempt: number; delayMs: number; error: RivuletError }
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
  /** `jitter` is a random number from 0 up to 1; `retryAfterMs` is what the server asked for. */
  | { type: 'dropped'; error: RivuletError; jitter: number; retryAfterMs?: number | undefined }
  | { type: 'finished' }
  | { type: 'cancelled' }

/** How long and how often a dropped connection is tried again. */
export interface RetryPolicy {
  /** Drops in a row without progress before it gives up. Default 10. */
  maxAttempts: number
  /** Longest wait before the first retry; it doubles with each drop. Default 250. */
  firstDelayMs: number
  /** Longest wait of our own making. Default 10,000. */
  maxDelayMs: number
  /** Longest wait that a server may ask for. Default 60,000. */
  maxRetryAfterMs: number
}

/** The policy when nothing else is said: about a minute of trying. */
export const defaultRetryPolicy: RetryPolicy = {
  maxAttempts: 10,
  firstDelayMs: 250,
  maxDelayMs: 10_000,
  maxRetryAfterMs: 60_000,
}

/** The phase after something happened. `closed` is final; the same object comes back when nothing changed. */
export function nextConnection(from: Connection, happening: Happening, policy: RetryPolicy): Connection {
  if (from.phase === 'closed') return from
  const attempt = from.phase === 'idle' ? 0 : from.attempt
  switch (happening.type) {
    case 'dialled':
      return { phase: 'connecting', attempt }
    case 'opened':
      return from.phase === 'open' ? from : { phase: 'open', attempt }
    case 'progressed':
      return from.phase === 'open' && attempt === 0 ? from : { phase: 'open', attempt: 0 }
    case 'finished':
      return { phase: 'closed', reason: 'done' }
    case 'cancelled':
      return { phase: 'closed', reason: 'cancelled' }
    default:
      return afterDrop(attempt + 1, happening, policy)
  }
}

function afterDrop(
  attempt: number,
  { error, jitter, retryAfterMs }: Extract<Happening, { type: 'dropped' }>,
  policy: RetryPolicy,
): Connection {
  if (!error.retryable) return { phase: 'closed', reason: 'failed', error }
  if (attempt > policy.maxAttempts) {
    const gaveUp = new RivuletError('DISCONNECTED', `gave up after ${policy.maxAttempts} retries: ${error.message}`, {
      retryable: true,
      run: error.run,
      cause: error,
    })
    return { phase: 'closed', reason: 'failed', error: gaveUp }
  }
  const longest = Math.min(policy.firstDelayMs * 2 ** (attempt - 1), policy.maxDelayMs)
  const spread = (longest * (1 + jitter)) / 2
  const delayMs = retryAfterMs === undefined ? spread : Math.min(retryAfterMs, policy.maxRetryAfterMs) + spread
  return { phase: 'waiting', attempt, delayMs, error }
}
