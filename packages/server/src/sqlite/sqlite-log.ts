import {
  compactRun,
  deserializeState,
  emptyState,
  fold,
  foldHeld,
  RivuletError,
  serializeState,
  Shelf,
  Waiters,
  type AppendOptions,
  type EventLog,
  type LogBatch,
  type RunEvent,
  type SerializedState,
  type StampedEvent,
  type ThreadState,
} from '@rivulet/protocol'
import { type Checkpointer, isCheckpointWrite } from '@rivulet/core'
import type { Database } from './database.ts'
import type { SqliteCheckpointer } from './sqlite-checkpointer.ts'
import { eventsIn, insertEvents, insertTexts } from './event-rows.ts'
import { objectIn, textIn } from './columns.ts'

/** Bounds of each thread's log. */
export interface SqliteLogOptions {
  /** Events kept. Default 50,000. */
  maxEvents?: number
  /** JSON text of the events kept, in UTF-16 code units. Default 64 Mi. */
  maxBytes?: number
}

/** What a log is opened with. */
interface Opening {
  database: Database
  checkpointer: SqliteCheckpointer
  memory: string
  id: string
  trimmedTo: number
  head: number
  /** Events and their bytes in the database. */
  events: number
  bytes: number
  limits: Required<SqliteLogOptions>
  /** Told of failures of what nobody waits for. */
  onError: (error: unknown) => void
}

/** Events held in memory behind the head, for readers who are nearly there. */
const HELD_EVENTS = 2048
const HELD_BYTES = 1024 * 1024
/** Events folded at once, at most, once somebody has asked for the state. */
const FOLD_EVERY = 256
/** Rows read at once. */
const ROWS = 256
/** Text since the last snapshot beyond which another is written, unless the last was larger than that itself. */
const SNAPSHOT_EVERY = 256 * 1024
/** How much of a cap is left after trimming. */
const KEPT_SHARE = 7 / 8

/**
 * A thread's log in a database. The newest events are held in memory too; the others are read when somebody asks. At
 * `run.end` the run's deltas become one a part; beyond the caps the oldest events go, once the snapshot holds them.
 */
export class SqliteLog implements EventLog {
  readonly id: string
  readonly #opening: Opening
  readonly #waiters = new Waiters()
  readonly #shelf: Shelf
  #head: number
  /** `seq` of the last event of a transaction that is being formed. */
  #planned: number
  #fence = 0
  #trimmedTo: number
  #events: number
  #bytes: number
  /** The fold, once somebody has asked for it; never behind what the shelf holds. */
  #folded: ThreadState | undefined
  #snapshotBytes = 0
  #sinceSnapshot: number
  readonly #starts = new Map<string, number>()
  #housekeeping: Promise<void> = Promise.resolve()
  #trimming = false

  private constructor(opening: Opening) {
    this.#opening = opening
    this.id = opening.id
    this.#head = this.#planned = opening.head
    this.#trimmedTo = opening.trimmedTo
    this.#events = opening.events
    this.#bytes = this.#sinceSnapshot = opening.bytes
    this.#shelf = new Shelf(HELD_EVENTS, HELD_BYTES, opening.head)
  }

  /** Opens a thread's log; `undefined` when there is no such thread. */
  static async open(
    database: Database,
    checkpointer: SqliteCheckpointer,
    memory: string,
    limits: SqliteLogOptions,
    onError: (error: unknown) => void,
  ): Promise<SqliteLog | undefined> {
    const [thread] = await database.read('SELECT log, trimmed_to FROM threads WHERE memory = ?', [memory])
    if (thread === undefined) return undefined
    const [sums] = await database.read(
      'SELECT max(last) AS head, sum(count) AS events, sum(length(data)) AS bytes FROM events WHERE memory = ?',
      [memory],
    )
    const trimmedTo = Number(thread['trimmed_to'])
    return new SqliteLog({
      database,
      checkpointer,
      memory,
      id: textIn(thread, 'log'),
      trimmedTo,
      head: Number(sums?.['head'] ?? trimmedTo),
      events: Number(sums?.['events'] ?? 0),
      bytes: Number(sums?.['bytes'] ?? 0),
      limits: { maxEvents: limits.maxEvents ?? 50_000, maxBytes: limits.maxBytes ?? 64 * 1024 * 1024 },
      onError,
    })
  }

  head(): number {
    return this.#head
  }

  /** Whose checkpoints are kept in one transaction with the events. */
  get keepsFor(): Checkpointer {
    return this.#opening.checkpointer
  }

  async append(events: readonly RunEvent[], { fence, writes = [] }: AppendOptions = {}): Promise<number> {
    if (fence !== undefined && fence < this.#fence) {
      throw new RivuletError('RUN_CONFLICT', `a newer worker (${this.#fence}) writes this thread`)
    }
    const texts = events.map((event) => this.#textOf(event))
    this.#fence = Math.max(this.#fence, fence ?? 0)
    const plans = writes.map((write) => this.#plan(write))
    if (events.length === 0 && plans.length === 0) return this.#head
    const kept = plans.map(({ statement }) => statement)
    const { database, memory } = this.#opening
    let first = 0
    try {
      await database.write({
        writes: () => {
          if (texts.length === 0) return kept
          first = this.#planned + 1
          this.#planned += texts.length
          return [insertTexts(memory, first, texts), ...kept]
        },
        done: () => this.#publish(events, texts, first),
        failed: () => (this.#planned = this.#head),
      })
    } catch (error) {
      for (const { undo } of plans) undo()
      throw error
    }
    return this.#head
  }

  #plan(write: unknown): ReturnType<SqliteCheckpointer['plan']> {
    if (isCheckpointWrite(write)) return this.#opening.checkpointer.plan(write)
    throw new RivuletError('INVALID_INPUT', 'a log was given a write that no graph made')
  }

  #textOf(event: RunEvent): string {
    let text: string
    try {
      text = JSON.stringify(event)
    } catch (cause) {
      throw new RivuletError('UNSERIALIZABLE', `a ${event.type} event is not JSON`, { cause })
    }
    const { maxBytes } = this.#opening.limits
    if (text.length <= maxBytes) return text
    const sentence = `a ${event.type} event of ${text.length} bytes is larger than the log (${maxBytes})`
    throw new RivuletError('LIMIT_EXCEEDED', sentence)
  }

  /** What is in the database is shown to readers. */
  #publish(events: readonly RunEvent[], texts: readonly string[], first: number): void {
    if (events.length === 0) return
    for (const [i, event] of events.entries()) {
      const { length } = texts[i]!
      this.#bytes += length
      this.#sinceSnapshot += length
      // Ahead of what is spread: behind it, V8 gives every such object a shape of its own.
      this.#add({ seq: first + i, ...event }, length)
    }
    this.#events += events.length
    this.#head = first + events.length - 1
    this.#waiters.wake(this.#head)
    for (const event of events) if (event.type === 'run.end') this.#tidyLater(event.run)
    if (this.#isOver() && !this.#trimming) {
      this.#trimming = true
      this.#later(() => this.#trim())
    }
  }

  #add(event: StampedEvent, weight: number): void {
    this.#shelf.push(event, weight)
    if (event.type === 'run.start') this.#starts.set(event.run, event.seq)
    const isEnd = event.type === 'run.end'
    const folded = this.#folded
    if (folded !== undefined && (isEnd || this.#shelf.isOver() || event.seq - folded.cursor >= FOLD_EVERY)) {
      this.#folded = foldHeld(folded, this.#shelf.after(folded.cursor, Infinity))
    }
    if (isEnd) this.#shelf.compact(event.run, (one) => JSON.stringify(one).length)
    if (this.#shelf.isOver()) this.#shelf.trim()
  }

  async read(after: number, limit: number): Promise<LogBatch> {
    this.#checkKept(after)
    const head = this.#head
    const events = after >= this.#shelf.heldAfter ? this.#shelf.after(after, limit) : await this.#load(after, limit)
    // Trimmed while they were read.
    this.#checkKept(after)
    return { events, head }
  }

  held(after: number, limit: number): LogBatch | undefined {
    if (after < this.#shelf.heldAfter) return undefined
    return { events: this.#shelf.after(after, limit), head: this.#head }
  }

  #checkKept(after: number): void {
    if (after >= this.#trimmedTo) return
    throw new RivuletError('CURSOR_GONE', `events up to ${this.#trimmedTo} are no longer kept`)
  }

  /** Up to `limit` events above `after`, out of the database. */
  async #load(after: number, limit: number): Promise<StampedEvent[]> {
    const { database, memory } = this.#opening
    const head = this.#head
    const events: StampedEvent[] = []
    let last = after
    while (events.length < limit && last < head) {
      const rows = await database.read(
        'SELECT first, last, data FROM events WHERE memory = ? AND last > ? ORDER BY last LIMIT ?',
        [memory, last, ROWS],
      )
      for (const row of rows) events.push(...eventsIn(row).filter(({ seq }) => seq > after && seq <= head))
      if (rows.length < ROWS) break
      last = Number(rows.at(-1)!['last'])
    }
    return events.slice(0, limit)
  }

  async snapshot(): Promise<ThreadState> {
    let state = this.#folded ?? (await this.#savedState())
    while (state.cursor < this.#head) {
      const { cursor } = state
      const held = cursor >= this.#shelf.heldAfter
      const events = held ? this.#shelf.after(cursor, Infinity) : await this.#load(cursor, Infinity)
      if (events.length === 0) break
      state = foldHeld(state, events)
    }
    if (state.cursor >= (this.#folded?.cursor ?? 0)) this.#folded = state
    return state
  }

  async #savedState(): Promise<ThreadState> {
    const { database, memory } = this.#opening
    const [row] = await database.read('SELECT seq, state FROM snapshots WHERE memory = ?', [memory])
    if (row === undefined) return fold(emptyState(), { type: 'sync', phase: 'replay', log: this.id, seq: 0 })
    this.#snapshotBytes = textIn(row, 'state').length
    // Only `#saveSnapshot` writes these rows.
    const state = deserializeState(objectIn(row, 'state') as unknown as SerializedState)
    return { ...state, log: this.id, cursor: Number(row['seq']) }
  }

  waitFor(after: number, signal: AbortSignal): Promise<void> {
    return this.#head > after ? Promise.resolve() : this.#waiters.wait(after, signal)
  }

  watch(listener: () => void): () => void {
    return this.#waiters.watch(listener)
  }

  /** Resolves when nothing is left to be tidied up. */
  async idle(): Promise<void> {
    await this.#housekeeping
  }

  /** Does what nobody waits for, one after the other. */
  #later(work: () => Promise<void>): void {
    this.#housekeeping = this.#housekeeping.then(work).catch((error: unknown) => {
      // A process that has taken over does this itself.
      if (!(error instanceof RivuletError && error.code === 'RUN_CONFLICT')) this.#opening.onError(error)
    })
  }

  /** Merges the pieces of a finished run's messages, and saves the state now and then. */
  #tidyLater(run: string): void {
    const from = this.#starts.get(run)
    this.#starts.delete(run)
    // The shelf has merged them already, unless the run is longer than it holds.
    const held = from !== undefined && from > this.#shelf.heldAfter ? this.#shelf.after(from - 1, Infinity) : undefined
    const compacted = held && upToEnd(held, run)
    this.#later(async () => {
      if (compacted !== undefined) await this.#replace(compacted)
      else if (from !== undefined) await this.#compact(run, from)
      if (this.#sinceSnapshot > Math.max(SNAPSHOT_EVERY, this.#snapshotBytes)) await this.#saveSnapshot()
    })
  }

  async #compact(run: string, from: number): Promise<void> {
    await this.#replace(compactRun(upToEnd(await this.#load(from - 1, Infinity), run), run))
  }

  /** Writes a run's events, from its start to its end, anew where there are fewer than there were. */
  async #replace(compacted: readonly StampedEvent[]): Promise<void> {
    const { database, memory } = this.#opening
    const [from, last] = [compacted[0]?.seq ?? 0, compacted.at(-1)?.seq ?? -1]
    const written = last - from + 1
    if (compacted.length === written) return
    // A group is of one run: the rows between its start and its end hold nothing else.
    await database.write({
      writes: () => [
        { sql: 'DELETE FROM events WHERE memory = ? AND last >= ? AND last <= ?', args: [memory, from, last] },
        ...insertEvents(memory, compacted),
      ],
    })
    this.#events -= written - compacted.length
    await this.#measure()
  }

  async #measure(): Promise<void> {
    const { database, memory } = this.#opening
    const [sums] = await database.read(
      'SELECT sum(count) AS events, sum(length(data)) AS bytes FROM events WHERE memory = ?',
      [memory],
    )
    this.#events = Number(sums?.['events'] ?? 0)
    this.#bytes = Number(sums?.['bytes'] ?? 0)
  }

  async #saveSnapshot(): Promise<number> {
    const { database, memory } = this.#opening
    const state = await this.snapshot()
    const text = JSON.stringify(serializeState(state))
    this.#sinceSnapshot = 0
    this.#snapshotBytes = text.length
    const sql = 'INSERT OR REPLACE INTO snapshots (memory, seq, state) VALUES (?, ?, ?)'
    await database.write({ writes: () => [{ sql, args: [memory, state.cursor, text] }] })
    return state.cursor
  }

  #isOver(share = 1): boolean {
    const { maxEvents, maxBytes } = this.#opening.limits
    return this.#events > maxEvents * share || this.#bytes > maxBytes * share
  }

  /** Drops the oldest rows, which the snapshot holds, until an eighth of each cap is free; never the last one. */
  async #trim(): Promise<void> {
    this.#trimming = false
    if (!this.#isOver()) return
    const { database, memory } = this.#opening
    const saved = await this.#saveSnapshot()
    const rows = await database.read(
      'SELECT last, count, length(data) AS bytes FROM events WHERE memory = ? AND last <= ? ORDER BY last',
      [memory, saved],
    )
    let cut = this.#trimmedTo
    for (const row of rows.slice(0, -1)) {
      if (!this.#isOver(KEPT_SHARE)) break
      this.#events -= Number(row['count'])
      this.#bytes -= Number(row['bytes'])
      cut = Number(row['last'])
    }
    this.#trimmedTo = cut
    await database.write({
      writes: () => [
        { sql: 'DELETE FROM events WHERE memory = ? AND last <= ?', args: [memory, cut] },
        { sql: 'UPDATE threads SET trimmed_to = ? WHERE memory = ?', args: [cut, memory] },
      ],
    })
  }
}

/** Events up to the end of a run. */
function upToEnd(events: readonly StampedEvent[], run: string): readonly StampedEvent[] {
  return events.slice(0, events.findIndex((event) => event.type === 'run.end' && event.run === run) + 1)
}
