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
  /** What came since the last append began. */
  #pending: Group | undefined
  #isWriting = false
  /** Who waits until nothing is left to write. */
  #waiting: (() => void)[] = []
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
    if (this.#failure !== undefined) {
      if (item.type === 'commit') item.settle(this.#failure)
      return
    }
    if (item.type === 'commit') (this.#pending ??= { events: [], commits: [] }).commits.push(item)
    else if (this.#pending === undefined) this.#pending = { events: [item], commits: [] }
    else this.#pending.events.push(item)
    if (this.#isWriting) return
    this.#isWriting = true
    void nextTurn().then(this.#write)
  }

  /** A promise while so much waits for the log that the run should, too. Never rejects. */
  full(): Promise<void> | undefined {
    return this.#pending !== undefined && this.#pending.events.length >= MAX_PENDING ? this.drain() : undefined
  }

  /** Resolves when all that was pushed is in the log, or the log failed. Never rejects. */
  drain(): Promise<void> {
    return this.#isWriting ? new Promise((resolve) => this.#waiting.push(resolve)) : Promise.resolve()
  }

  /** Appends what is pending. By callbacks: what awaits costs every event several turns. */
  readonly #write = (): void => {
    const group = this.#pending
    if (group === undefined || this.#failure !== undefined) return this.#rest()
    this.#pending = undefined
    this.#log.append(group.events, this.#optionsOf(group.commits)).then(
      () => {
        if (group.commits.length > 0) settle(group.commits)
        this.#goOn()
      },
      (error: unknown) => void this.#appendApart(group, error).then(this.#goOn),
    )
  }

  readonly #goOn = (): void => {
    if (this.#pending === undefined) this.#rest()
    else void nextTurn().then(this.#write)
  }

  #rest(): void {
    this.#isWriting = false
    for (const resolve of this.#waiting.splice(0)) resolve()
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
      settle([...commits, ...(this.#pending?.commits ?? [])], this.#failure)
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
