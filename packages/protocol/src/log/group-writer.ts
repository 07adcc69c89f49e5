import { RivuletError, toRivuletError } from '../errors.ts'
import type { RunEvent } from '../events/event.ts'
import type { Commit } from '../graph.ts'
import type { AppendOptions, EventLog } from './event-log.ts'
import { nextTurn } from './turn.ts'

/** Events that may wait for the log before the run has to. */
const MAX_PENDING = 1024

/** What waits to be appended together. */
interface Group {
  readonly events: RunEvent[]
  readonly commits: Commit[]
}

/**
 * Appends events to a log in groups: what comes while an append is under way, or in the same turn of the event loop, is
 * appended together, with what the run keeps. After a failed append nothing more is written, and `onFailure` is told,
 * once.
 */
export class GroupWriter {
  readonly #log: EventLog
  readonly #options: AppendOptions
  readonly #onFailure: (error: RivuletError) => void
  #pending: Group = { events: [], commits: [] }
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

  /** Takes an event, or what the run keeps; after a failure an event is dropped, and a commit fails as the log did. */
  push(item: RunEvent | Commit): void {
    if (item.type !== 'commit') {
      if (this.#failure === undefined) this.#pending.events.push(item)
    } else if (this.#failure === undefined) this.#pending.commits.push(item)
    else item.settle(this.#failure)
    if (this.#failure === undefined) this.#flushing ??= this.#flush()
  }

  /** A promise while so much waits for the log that the run should, too. Never rejects. */
  full(): Promise<void> | undefined {
    return this.#pending.events.length >= MAX_PENDING ? this.#flushing : undefined
  }

  /** Resolves when all that was pushed is in the log, or the log failed. Never rejects. */
  async drain(): Promise<void> {
    await this.#flushing
  }

  async #flush(): Promise<void> {
    while (this.#isWaiting() && this.#failure === undefined) {
      await nextTurn()
      const group = this.#pending
      this.#pending = { events: [], commits: [] }
      try {
        await this.#log.append(group.events, this.#optionsOf(group.commits))
        settle(group.commits)
      } catch (error) {
        await this.#appendApart(group, error)
      }
    }
    this.#flushing = undefined
  }

  #isWaiting(): boolean {
    return this.#pending.events.length > 0 || this.#pending.commits.length > 0
  }

  #optionsOf(commits: readonly Commit[]): AppendOptions {
    return commits.length === 0
      ? this.#options
      : { ...this.#options, writes: commits.flatMap((commit) => commit.writes) }
  }

  /**
   * What becomes of a group that the log refused: where that was for one event that is not JSON, each is appended on its
   * own, and an error event in place of that one. Never rejects.
   */
  async #appendApart({ events, commits }: Group, refusal: unknown): Promise<void> {
    try {
      if (!isUnserializable(refusal)) throw refusal
      for (const event of events) await this.#appendOne(event)
      settle(commits, commits.length === 0 ? undefined : await this.#keep(commits))
    } catch (error) {
      this.#failure = toRivuletError(error)
      this.#onFailure(this.#failure)
      settle([...commits, ...this.#pending.commits], this.#failure)
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

  /** Their events are in the log by now. State that is not JSON fails the run that keeps it, and not the log. */
  async #keep(commits: readonly Commit[]): Promise<RivuletError | undefined> {
    try {
      await this.#log.append([], this.#optionsOf(commits))
      return undefined
    } catch (error) {
      if (!isUnserializable(error)) throw error
      return error
    }
  }
}

function settle(commits: readonly Commit[], failure?: RivuletError): void {
  for (const commit of commits) commit.settle(failure)
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
