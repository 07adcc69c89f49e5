import { callSignal, systemClock, wait, type ChatModel, type ChatOptions, type Clock } from '@rivulet/core'
import { messageOfThrown, RivuletError } from '@rivulet/protocol'
import { mayPass, retryAfterOf } from './failure.ts'
import { inTurn, type Attempt } from './in-turn.ts'

/** How a model's calls are made again. */
export interface RetryOptions {
  /** Calls in all, the first one too. Default 3. */
  attempts?: number
  /** Wait before the second call, in ms. Default 500. */
  delayMs?: number
  /** Each wait is that many times the one before. Default 2. */
  backoff?: number
  /** Longest wait of our own, in ms. Default 30,000. */
  maxDelayMs?: number
  /** Longest wait that a provider may ask for by `Retry-After`, in ms; when it asks for more the call fails. Default 60,000. */
  maxRetryAfterMs?: number
  /** Whether a failure may be tried again. Default: what the failure says of itself. Never asked about a stop. */
  retryOn?: (error: unknown) => boolean
  /** Told before each wait. */
  onRetry?: (news: { attempt: number; delayMs: number; error: unknown }) => void
  /** Default: the platform's. */
  clock?: Clock
  /** A number from 0 up to 1: how much of the second half of a wait is waited. Default `Math.random`. */
  random?: () => number
}

/**
 * The model, called again when a call of it fails in a way that may pass: statuses 408, 409, 425, 429 and from 500 on, and
 * failures of the network. What the failed call told is withdrawn: readers of events and of the `messages` mode see it go, a
 * loop over `stream` gets a chunk with `restart`. Waits longer each time, and as long as a `Retry-After` asks for. A stop
 * ends a wait at once, with its reason. Otherwise throws what the last call failed with, untouched, and leaves what that one
 * told.
 */
export function withRetry(model: ChatModel, options: RetryOptions = {}): ChatModel {
  const { attempts = 3, delayMs = 500, maxDelayMs = 30_000 } = options
  for (const [name, value] of Object.entries({ attempts, delayMs, maxDelayMs })) {
    if (Number.isNaN(value) || value < 0) throw new RivuletError('INVALID_INPUT', `${name} must be 0 or more`)
  }
  return inTurn(
    model.name,
    (call) => retrying(model, options, call),
    (more) => withRetry(model.with(more), options),
  )
}

function retrying(model: ChatModel, options: RetryOptions, call: ChatOptions): Attempt {
  const { attempts = 3, clock = systemClock } = options
  const signal = callSignal(call)
  let made = 1
  return {
    model,
    next(error) {
      if (made >= attempts || !mayRetry(error, options)) return undefined
      const pause = delayBefore(made, options, error, clock)
      if (pause === undefined) return undefined
      made++
      return async () => {
        tell(options, { attempt: made, delayMs: pause, error })
        await wait(clock, pause, signal)
        return model
      }
    },
  }
}

function mayRetry(error: unknown, { retryOn = mayPass }: RetryOptions): boolean {
  try {
    return retryOn(error)
  } catch {
    // What the call failed with counts, not that the question about it failed too.
    return false
  }
}

/** How long to wait before the next call; `undefined` when the provider asks for longer than we would. */
function delayBefore(made: number, options: RetryOptions, error: unknown, clock: Clock): number | undefined {
  const { delayMs = 500, backoff = 2, maxDelayMs = 30_000, maxRetryAfterMs = 60_000, random = Math.random } = options
  const retryAfterMs = retryAfterOf(error, clock.epochMs())
  if (retryAfterMs !== undefined) return retryAfterMs > maxRetryAfterMs ? undefined : retryAfterMs
  const whole = Math.min(delayMs * backoff ** (made - 1), maxDelayMs)
  return whole / 2 + (random() * whole) / 2
}

function tell({ onRetry }: RetryOptions, news: { attempt: number; delayMs: number; error: unknown }): void {
  try {
    onRetry?.(news)
  } catch (error) {
    // A listener that fails ends no call; the platform is told as of any other error that nobody catches.
    globalThis.reportError?.(new Error(`onRetry failed: ${messageOfThrown(error)}`, { cause: error }))
  }
}
