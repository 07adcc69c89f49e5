import { RivuletError, toRivuletError } from '../errors.ts'
import type { RunEvent } from '../events/event.ts'
import type { AppendOptions, EventLog } from './event-log.ts'
import { nextTurn } from './turn.ts'

/** Events that may wait for the log before the run has to. */
const MAX_PENDING = 1024

/**
 * Appends events to a log in groups: what comes while an append is under way, or in the same turn of the event loop, is
 * appended together. After a failed append nothing more is written, and `onFailure` is told, once.
 */
export class GroupWriter {
  readonly #log: EventLog
  readonly #options: AppendOptions
  readonly #onFailure: (error: RivuletError) => void
  #pending: RunEvent[] = []
  #flushing: Promise<void> | undefined
  #failure: RivuletError | undefined

  constructor(log: EventLog, options: AppendOptions, onFailure: (error: RivuletError) => void) {
    this.#log = log
    this.#options = options
    this.#onFailure = onFailure
  }

  /** Why the log took no more; `undefined` while it does. */
  get failure(): RivuletError | undefined {
    return this.#failure
  }

  /** Takes an event; after a failure it is dropped. */
  push(event: RunEvent): void {
    if (this.#failure !== undefined) return
    this.#pending.push(event)
    this.#flushing ??= this.#flush()
  }

  /** A promise while so much waits for the log that the run should, too. Never rejects. */
  full(): Promise<void> | undefined {
    return this.#pending.length >= MAX_PENDING ? this.#flushing : undefined
  }

  /** Resolves when all that was pushed is in the log, or the log failed. Never rejects. */
  async drain(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    while (this.#pending.length > 0 && this.#failure === undefined) {
      await nextTurn()
      const group = this.#pending
      this.#pending = []
      try {
        await this.#append(group)
      } catch (error) {
        this.#failure = toRivuletError(error)
        this.#onFailure(this.#failure)
      }
    }
    this.#flushing = undefined
  }

  /** Appends a group; where one event of it is not JSON, each on its own, and an error event in place of that one. */
  async #append(group: readonly RunEvent[]): Promise<void> {
    try {
      await this.#log.append(group, this.#options)
    } catch (error) {
      if (!isUnserializable(error)) throw error
      for (const event of group) await this.#appendOne(event)
    }
  }

  async #appendOne(event: RunEvent): Promise<void> {
    try {
      await this.#log.append([event], this.#options)
    } catch (error) {
      if (!isUnserializable(error)) throw error
      await this.#log.append([errorInPlaceOf(event, error)], this.#options)
    }
  }
}

function isUnserializable(error: unknown): error is RivuletError {
  return error instanceof RivuletError && error.code === 'UNSERIALIZABLE'
}

/** What the log says where an event could not be kept: the run goes on, or ends as it did. */
function errorInPlaceOf(event: RunEvent, error: RivuletError): RunEvent {
  const { run, ns, node, step, task } = event
  const place = {
    run,
    ...(ns !== undefined && { ns }),
    ...(node !== undefined && { node }),
    ...(step !== undefined && { step }),
    ...(task !== undefined && { task }),
  }
  if (event.type === 'run.end') return { type: 'run.end', run, status: event.status, error: error.toJSON() }
  return { type: 'error', ...place, error: { ...error.toJSON(), run } }
}
