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

/** Frames of one reader. Iterated once. */
export interface LogReader extends AsyncIterable<Frame> {
  /** `seq` up to which the reader has been given everything; `undefined` while something is queued for it. */
  idleAt(): number | undefined
}

/** Events read at once, at most. */
const READ_LIMIT = 1000
/** Size of a frame, in characters, beyond which the next event begins another. */
const FRAME_SIZE = 1024 * 1024
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
    [Symbol.asyncIterator]: () => reading.frames(),
    idleAt: () => reading.idleAt(),
  }
}

class Reading {
  readonly #log: EventLog
  readonly #query: ReadQuery
  readonly #signal: AbortSignal
  /** Up to where it has read. */
  #seq = 0
  /** The last event it was sent, or the snapshot. */
  #sent = 0
  /** After this there is nothing for it. */
  #endAt = Infinity
  #waits = false
  readonly #trim = createTrimmer()
  /** What an event becomes for this reader: itself, nothing, or something in its place. */
  #show: (event: StampedEvent) => readonly RivuletEvent[] = (event) => [event]

  constructor(log: EventLog, query: ReadQuery, signal: AbortSignal) {
    this.#log = log
    this.#query = query
    this.#signal = signal
    if (query.follow === false) this.#endAt = log.head()
  }

  idleAt(): number | undefined {
    return this.#waits && this.#seq === this.#log.head() ? this.#seq : undefined
  }

  async *frames(): AsyncGenerator<Frame, void> {
    const backlog = await this.#readBacklog()
    if (backlog === undefined) yield await this.#snapshot()
    else yield* this.#replay(backlog)
    while (this.#seq < this.#endAt && (await this.#grown())) {
      const batch = await this.#read(this.#seq)
      if (batch === undefined) yield await this.#snapshot()
      else yield* this.#frame(this.#take(batch))
    }
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
      yield* this.#frame(this.#take(batch))
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
      if (error instanceof RivuletError && error.code === 'CURSOR_GONE') return undefined
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
  #take({ events }: LogBatch): RivuletEvent[] {
    const taken: RivuletEvent[] = []
    let size = 0
    for (const event of events) {
      if (events.length > 1) size += eventSize(event)
      if (size > FRAME_SIZE && taken.length > 0) break
      this.#seq = event.seq
      for (const shown of this.#show(event)) taken.push(this.#trim(shown))
      if (event.type === 'run.end' && event.run === this.#query.until) {
        this.#endAt = event.seq
        break
      }
    }
    return mergeDeltas(taken).map((event) => this.#afterSent(event))
  }

  /** The event with the `prev` that this reader needs. */
  #afterSent(event: RivuletEvent): RivuletEvent {
    const before = this.#sent
    this.#sent = event.seq
    if (event.type === 'sync') return event
    const { prev, ...rest } = event
    if (before === event.seq - 1) return prev === undefined ? event : rest
    return prev === before ? event : { ...rest, prev: before }
  }

  *#frame(events: readonly RivuletEvent[]): Generator<Frame, void> {
    if (events.length > 0) yield { type: 'events', log: this.#log.id, events }
  }

  #sync(phase: 'replay' | 'live'): Frame {
    const log = this.#log.id
    return { type: 'events', log, events: [{ type: 'sync', phase, log, seq: this.#seq }] }
  }

  /** Waits for the log to go beyond what was read; `false` when the signal aborted. */
  async #grown(): Promise<boolean> {
    if (this.#signal.aborted) return false
    if (this.#log.head() > this.#seq) return true
    this.#waits = true
    try {
      await this.#log.waitFor(this.#seq, this.#signal)
      return true
    } catch (error) {
      if (this.#signal.aborted) return false
      throw error
    } finally {
      this.#waits = false
    }
  }
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
