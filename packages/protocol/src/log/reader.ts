import { RivuletError } from '../errors.ts'
import type { RivuletEvent, StampedEvent } from '../events/event.ts'
import { createEventFilter, filterSnapshot, passesAll, type ReadFilter, wantsWholeMessages } from '../events/filter.ts'
import { serializeState } from '../fold/snapshot.ts'
import type { ThreadState } from '../fold/state.ts'
import type { Frame } from '../frame.ts'
import { type EventLog, type LogBatch, parseCursor } from './event-log.ts'
import { eventSize } from './event-size.ts'
import { mergeDeltas } from './merge.ts'
import { createTrimmer } from './trim.ts'
import { createWholeMessages } from './whole-messages.ts'

/** What a reader asks of a log. */
export interface ReadQuery extends ReadFilter {
  /** Cursor, or `seq` in this very log, of the last event the reader has. Without it: the snapshot and what follows. */
  after?: string | number | undefined
  /** Id of a run: the reading ends after that run's end. Without it, it goes on until the signal. */
  until?: string | undefined
  /** Whether to go on after what the log holds now. Default `true`. */
  follow?: boolean | undefined
}

/** Frames of one reader. Iterated once, or taken one by one, and not both. */
export interface LogReader extends AsyncIterable<Frame> {
  /**
   * Calls `take` with the next frame, or with `undefined` after the last one: at once where it can be read at once, and
   * otherwise as soon as the log has grown, before the `append` that made it grow resolves. Calls `fail` instead with
   * what the log threw. One call at a time; neither may throw.
   */
  next(take: (frame: Frame | undefined) => void, fail: (error: unknown) => void): void
  /** `seq` up to which the reader has been given everything; `undefined` while something is queued for it. */
  idleAt(): number | undefined
}

/** Events read at once, at most. */
const READ_LIMIT = 1000
/**
 * Size of a frame, in characters, beyond which the next event begins another: what a connection holds that takes nothing
 * stays below 1 MiB, also where every character is three bytes.
 */
const FRAME_SIZE = 256 * 1024
/** Roughly what a missed event costs to send, in characters: a token with its fields. */
const EVENT_COST = 100

/**
 * Reads a log as frames: first where the reader stands, then everything after it, live, until `signal` aborts (which
 * ends the iteration without an error) or the run `until` is over; without `follow`, until there is no more.
 *
 * With a cursor of this log: `sync replay`, what the reader missed, `sync live`. Without one, with one of another log or
 * of events that were trimmed, and where the snapshot is smaller than what was missed: `sync snapshot`. After that, one
 * frame for all that came since the reader asked last, so that a slow one gets more at once; inside a frame the deltas
 * of one part are merged. `prev` of each event is what this very reader was sent before.
 *
 * The reader pulls: nothing is queued for it but the log itself. Throws `INVALID_INPUT` for a cursor that is none, and
 * what the log throws.
 */
export function readLog(log: EventLog, query: ReadQuery, signal: AbortSignal): LogReader {
  const reading = new Reading(log, query, signal)
  return {
    [Symbol.asyncIterator]: () => iterate(reading),
    next: (take, fail) => reading.next(take, fail),
    idleAt: () => reading.idleAt(),
  }
}

function iterate(reading: Reading): AsyncIterator<Frame, undefined> {
  return {
    next: () =>
      new Promise((resolve, reject) => {
        const take = (value: Frame | undefined): void =>
          resolve(value === undefined ? { value, done: true } : { value, done: false })
        reading.next(take, reject)
      }),
    return: () => {
      reading.end()
      return Promise.resolve({ value: undefined, done: true })
    },
  }
}

/** Who waits for the next frame. */
interface Taker {
  take: (frame: Frame | undefined) => void
  fail: (error: unknown) => void
}

class Reading {
  readonly #log: EventLog
  readonly #query: ReadQuery
  readonly #signal: AbortSignal
  /** Frames of the beginning, until they have been taken. */
  #beginning: AsyncGenerator<Frame, void> | undefined
  #taker: Taker | undefined
  #ended = false
  /** Stops watching the log. */
  #leave: (() => void) | undefined
  /** Up to where it has read. */
  #seq = 0
  /** The last event it was sent, or the snapshot. */
  #sent = 0
  /** After this there is nothing for it. */
  #endAt = Infinity
  #waits = false
  readonly #trim = createTrimmer()
  /** What an event becomes for this reader, where that is not itself: nothing, or something in its place. */
  #show: ((event: StampedEvent) => readonly RivuletEvent[]) | undefined

  constructor(log: EventLog, query: ReadQuery, signal: AbortSignal) {
    this.#log = log
    this.#query = query
    this.#signal = signal
    if (query.follow === false) this.#endAt = log.head()
    this.#beginning = this.#begin()
  }

  idleAt(): number | undefined {
    return this.#waits && this.#seq === this.#log.head() ? this.#seq : undefined
  }

  next(take: Taker['take'], fail: Taker['fail']): void {
    this.#taker = { take, fail }
    if (this.#ended) this.end()
    else if (this.#beginning !== undefined) void this.#takeBeginning(this.#beginning)
    else this.#step()
  }

  /** Nothing more is read; whoever waits is told. */
  end(): void {
    this.#ended = true
    this.#leave?.()
    this.#waits = false
    this.#give(undefined)
  }

  #give(frame: Frame | undefined): void {
    const taker = this.#taker
    this.#taker = undefined
    taker?.take(frame)
  }

  #fail(error: unknown): void {
    const taker = this.#taker
    this.#taker = undefined
    this.end()
    taker?.fail(error)
  }

  async #takeBeginning(beginning: AsyncGenerator<Frame, void>): Promise<void> {
    let next: IteratorResult<Frame, void>
    try {
      next = await beginning.next()
    } catch (error) {
      return this.#fail(error)
    }
    if (this.#ended) return
    if (!next.done) return this.#give(next.value)
    this.#beginning = undefined
    this.#step()
  }

  async *#begin(): AsyncGenerator<Frame, void> {
    const backlog = await this.#readBacklog()
    if (backlog === undefined) yield await this.#snapshot()
    else yield* this.#replay(backlog)
  }

  /** Gives the next frame of what is there, or waits for the log to grow. */
  #step(): void {
    while (this.#taker !== undefined) {
      // Whoever watches has ended already when the signal has aborted, and asking it costs as much as an event.
      const isAborted = this.#leave === undefined && this.#signal.aborted
      if (isAborted || this.#seq >= this.#endAt) return this.end()
      if (this.#log.head() <= this.#seq) return this.#wait()
      let frame: Frame | undefined
      try {
        const batch = this.#held()
        if (batch === undefined) return void this.#readLater()
        frame = this.#frame(this.#take(batch))
      } catch (error) {
        return this.#fail(error)
      }
      if (frame !== undefined) return this.#give(frame)
    }
  }

  /** What is to be read, where that is in memory. */
  #held(): LogBatch | undefined {
    try {
      return this.#log.held?.(this.#seq, READ_LIMIT)
    } catch (error) {
      if (isTrimmed(error)) return undefined
      throw error
    }
  }

  async #readLater(): Promise<void> {
    let frame: Frame | undefined
    try {
      const batch = await this.#read(this.#seq)
      if (this.#ended) return
      frame = batch === undefined ? await this.#snapshot() : this.#frame(this.#take(batch))
    } catch (error) {
      return this.#signal.aborted ? this.end() : this.#fail(error)
    }
    if (this.#ended) return
    if (frame === undefined) this.#step()
    else this.#give(frame)
  }

  #wait(): void {
    this.#waits = true
    if (this.#log.watch === undefined) void this.#waitOnce()
    else this.#leave ??= this.#watch(this.#log.watch(() => this.#grown()))
  }

  #watch(leave: () => void): () => void {
    const onAbort = (): void => this.end()
    this.#signal.addEventListener('abort', onAbort, { once: true })
    return () => {
      leave()
      this.#signal.removeEventListener('abort', onAbort)
    }
  }

  #grown(): void {
    if (!this.#waits) return
    this.#waits = false
    this.#step()
  }

  async #waitOnce(): Promise<void> {
    try {
      await this.#log.waitFor(this.#seq, this.#signal)
    } catch (error) {
      this.#waits = false
      return this.#signal.aborted ? this.end() : this.#fail(error)
    }
    this.#grown()
  }

  /** What the reader missed; `undefined` when a snapshot serves it better. */
  async #readBacklog(): Promise<LogBatch | undefined> {
    const after = cursorIn(this.#log, this.#query.after)
    if (after === undefined || wantsWholeMessages(this.#query)) return undefined
    const batch = await this.#read(after)
    if (batch === undefined) return undefined
    const { until } = this.#query
    const full = batch.events.length === READ_LIMIT
    const state = full || until !== undefined || !passesAll(this.#query) ? await this.#log.snapshot() : undefined
    if (state !== undefined) {
      const missed = (batch.head - after) * EVENT_COST
      if (full && JSON.stringify(this.#serialize(state)).length < missed) return undefined
      this.#follow(state)
    }
    this.#seq = this.#sent = after
    return batch
  }

  async *#replay(backlog: LogBatch): AsyncGenerator<Frame, void> {
    yield this.#sync('replay')
    const target = backlog.head
    let batch: LogBatch | undefined = backlog
    for (;;) {
      const frame = this.#frame(this.#take(batch))
      if (frame !== undefined) yield frame
      if (this.#signal.aborted) return
      if (this.#seq >= Math.min(target, this.#endAt)) break
      batch = await this.#read(this.#seq)
      if (batch === undefined) {
        yield await this.#snapshot()
        return
      }
    }
    yield this.#sync('live')
  }

  /** Events above `after`; `undefined` when some of them were trimmed. */
  async #read(after: number): Promise<LogBatch | undefined> {
    try {
      return await this.#log.read(after, READ_LIMIT)
    } catch (error) {
      if (isTrimmed(error)) return undefined
      throw error
    }
  }

  async #snapshot(): Promise<Frame> {
    const state = await this.#log.snapshot()
    this.#follow(state)
    this.#seq = this.#sent = state.cursor
    const log = this.#log.id
    const event: RivuletEvent = {
      type: 'sync',
      phase: 'snapshot',
      log,
      state: this.#serialize(state),
      seq: state.cursor,
    }
    return { type: 'events', log, events: [event] }
  }

  #serialize(state: ThreadState): ReturnType<typeof serializeState> {
    return filterSnapshot(serializeState(state), this.#query)
  }

  /** Reads on from `state`: filters start from what it knows, and the run to wait for may be over already. */
  #follow(state: ThreadState): void {
    const query = this.#query
    const status = query.until === undefined ? undefined : state.runs.get(query.until)?.status
    if (status !== undefined && status !== 'running') this.#endAt = Math.min(this.#endAt, state.cursor)
    if (passesAll(query)) return
    const passes = createEventFilter(query, state)
    const whole = wantsWholeMessages(query) ? createWholeMessages(state, query) : (event: StampedEvent) => [event]
    this.#show = (event) => whole(event).filter((shown) => shown.type === 'sync' || passes(shown))
  }

  /** Takes as much of a batch as makes one frame; what is left is read again. */
  #take({ events, head }: LogBatch): RivuletEvent[] {
    // Asked again, a log that is damaged would answer the same, for ever.
    if (events.length === 0 && head > this.#seq) {
      throw new RivuletError('INTERNAL', `the log ends at ${head} and has nothing behind ${this.#seq}`)
    }
    const taken: RivuletEvent[] = []
    let size = 0
    for (const event of events) {
      if (events.length > 1) size += eventSize(event)
      if (size > FRAME_SIZE && taken.length > 0) break
      this.#seq = event.seq
      if (this.#show === undefined) taken.push(this.#trim(event))
      else for (const shown of this.#show(event)) taken.push(this.#trim(shown))
      if (event.type === 'run.end' && event.run === this.#query.until) {
        this.#endAt = event.seq
        break
      }
    }
    const frame = taken.length > 1 ? mergeDeltas(taken) : taken
    frame.forEach((event, i) => (frame[i] = this.#afterSent(event)))
    return frame
  }

  /** The event with the `prev` that this reader needs. */
  #afterSent(event: RivuletEvent): RivuletEvent {
    const before = this.#sent
    this.#sent = event.seq
    const needed = before === event.seq - 1 || event.type === 'sync' ? undefined : before
    if (event.prev === needed) return event
    const { prev: _prev, ...rest } = event
    return needed === undefined ? rest : { prev: needed, ...rest }
  }

  #frame(events: readonly RivuletEvent[]): Frame | undefined {
    return events.length === 0 ? undefined : { type: 'events', log: this.#log.id, events }
  }

  #sync(phase: 'replay' | 'live'): Frame {
    const log = this.#log.id
    return { type: 'events', log, events: [{ type: 'sync', phase, log, seq: this.#seq }] }
  }
}

function isTrimmed(error: unknown): boolean {
  return error instanceof RivuletError && error.code === 'CURSOR_GONE'
}

/** The `seq` that `after` means in this log; `undefined` when it means none. */
function cursorIn(log: EventLog, after: string | number | undefined): number | undefined {
  if (after === undefined) return undefined
  const cursor = typeof after === 'number' ? { log: log.id, seq: after } : parseCursor(after)
  if (cursor === undefined || !Number.isSafeInteger(cursor.seq) || cursor.seq < 0) {
    throw new RivuletError('INVALID_INPUT', 'after is not a cursor of a thread')
  }
  return cursor.log === log.id && cursor.seq <= log.head() ? cursor.seq : undefined
}
