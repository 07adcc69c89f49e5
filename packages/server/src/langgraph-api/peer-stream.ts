import {
  encodeSse,
  fold,
  foldHeld,
  RivuletError,
  serializeState,
  type EventLog,
  type Frame,
  type LogReader,
  type RivuletEvent,
  type StampedEvent,
  type ThreadState,
  type WireError,
} from '@rivulet/protocol'
import type { Deps } from '../app/deps.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { Wire } from '../stream/wire.ts'
import type { Thread } from '../threads/store.ts'

/** Events read at once, at most. */
const READ_LIMIT = 500
/** Events told at once, at most. */
const TOLD_AT_ONCE = 64

/** Says what events mean to one reader, one after the other. */
export interface Teller {
  /** What to write for an event; `state` is what the thread adds up to with it, `before` without. */
  event(event: StampedEvent, state: ThreadState, before: ThreadState): string
  /** What to write in place of events that the log has forgotten. */
  caughtUp(state: ThreadState): string
  /** What ends the stream for this reader alone. */
  fatal(error: WireError): string
  /** Written while there is nothing to say. Default: a comment of server-sent events. */
  heartbeat?(): string
  /** Written before the server closes. Default: the hint of server-sent events when to come back. */
  comeBack?(delayMs: number): string
}

/** What is read, and for whom. */
export interface PeerReading {
  readonly tenant: string
  readonly thread: Thread
  readonly log: EventLog
  /** What the thread adds up to where the reading begins. */
  readonly from: ThreadState
  readonly teller: Teller
  /** Whether an event is the last for this reader. Default: none is. */
  readonly isLast?: (event: StampedEvent) => boolean
  /** Whether to go on after what the log holds now. Default `true`. */
  readonly follow?: boolean
  /** The last event that the reader has: before what follows it is told, `told` gets what the thread adds up to by now. */
  readonly crossing?: { readonly seq: number; told(now: ThreadState): void }
  /** Called when the client leaves before the stream has ended. */
  readonly onLeave?: () => void
}

/**
 * Opens a stream of a thread for a protocol that needs more than its own filter: every event from `from` on is folded,
 * and told with what the thread adds up to.
 */
export function openPeerStream(deps: Deps, reading: PeerReading): EventStream {
  const { tenant, thread, log, onLeave, follow } = reading
  const { heartbeatMs, stallMs, onError } = deps
  return deps.streams.open({
    tenant,
    thread: thread.memory,
    log,
    query: { follow },
    read: (signal) => new LogWalk(reading, signal),
    wire: wireOf(reading),
    heartbeatMs,
    stallMs,
    onError,
    ...(onLeave && { onLeave }),
  })
}

/** Reads a log event by event, as nothing but the log's own order. */
class LogWalk implements LogReader {
  readonly #reading: PeerReading
  readonly #signal: AbortSignal
  readonly #frames: AsyncGenerator<Frame, void>
  #seq: number
  #waits = false

  constructor(reading: PeerReading, signal: AbortSignal) {
    this.#reading = reading
    this.#signal = signal
    this.#seq = reading.from.cursor
    this.#frames = this.#walk()
  }

  [Symbol.asyncIterator](): AsyncIterator<Frame> {
    return this.#frames
  }

  next(take: (frame: Frame | undefined) => void, fail: (error: unknown) => void): void {
    this.#frames.next().then(({ done, value }) => take(done ? undefined : value), fail)
  }

  idleAt(): number | undefined {
    return this.#waits && this.#seq === this.#reading.log.head() ? this.#seq : undefined
  }

  async *#walk(): AsyncGenerator<Frame, void> {
    const { log, follow = true, isLast = () => false } = this.#reading
    const end = follow ? Infinity : log.head()
    // A reader that nothing is for yet is told that it is read for: until then some hosts keep the answer's head back.
    yield { type: 'at', log: log.id, seq: this.#seq }
    while (this.#seq < end && (await this.#grown())) {
      const events = await this.#read()
      await this.#cross(events.at(-1)?.seq ?? 0)
      for (const piece of pieces(events)) {
        const last = piece.findIndex((event) => event.type !== 'sync' && isLast(event))
        this.#seq = piece.at(-1)?.seq ?? this.#seq
        yield { type: 'events', log: log.id, events: last === -1 ? piece : piece.slice(0, last + 1) }
        if (last !== -1) return
      }
    }
  }

  async #read(): Promise<readonly RivuletEvent[]> {
    const { log } = this.#reading
    try {
      return (await log.read(this.#seq, READ_LIMIT)).events
    } catch (error) {
      if (!(error instanceof RivuletError) || error.code !== 'CURSOR_GONE') throw error
      const state = await log.snapshot()
      return [{ type: 'sync', phase: 'snapshot', log: log.id, state: serializeState(state), seq: state.cursor }]
    }
  }

  async #cross(to: number): Promise<void> {
    const { crossing, log } = this.#reading
    if (crossing === undefined || this.#seq > crossing.seq || to <= crossing.seq) return
    crossing.told(await log.snapshot())
  }

  /** Waits for the log to go beyond what was read; `false` when the signal aborted. */
  async #grown(): Promise<boolean> {
    const { log } = this.#reading
    if (this.#signal.aborted) return false
    if (log.head() > this.#seq) return true
    this.#waits = true
    try {
      await log.waitFor(this.#seq, this.#signal)
      return true
    } catch (error) {
      if (this.#signal.aborted) return false
      throw error
    } finally {
      this.#waits = false
    }
  }
}

/** Events in groups that are told at once: none is told with more than one state, which may be large. */
function* pieces(events: readonly RivuletEvent[]): Generator<readonly RivuletEvent[], void> {
  let begun = 0
  for (const [i, { type }] of events.entries()) {
    const holdsState = type === 'values' || type === 'checkpoint' || type === 'rewind' || type === 'sync'
    if (!holdsState && i - begun < TOLD_AT_ONCE - 1) continue
    yield events.slice(begun, i + 1)
    begun = i + 1
  }
  if (begun < events.length) yield events.slice(begun)
}

function wireOf({ from, teller }: PeerReading): Wire {
  let state = from
  const tell = (event: RivuletEvent): string => {
    const before = state
    if (event.type === 'sync') {
      state = fold(before, event)
      return teller.caughtUp(state)
    }
    state = foldHeld(before, [event])
    return teller.event(event, state, before)
  }
  return {
    frame(frame) {
      switch (frame.type) {
        case 'events':
          return frame.events.map(tell).join('')
        case 'at':
          return teller.heartbeat?.() ?? encodeSse({ comment: 'heartbeat' })
        default:
          return teller.comeBack?.(frame.delayMs) ?? encodeSse({ retry: frame.delayMs })
      }
    },
    fatal: (error) => teller.fatal(error),
  }
}

/** The delta without what was told of its part before: a log merges the pieces of a finished run's messages. */
export function unheard(event: StampedDelta, before: ThreadState): StampedDelta {
  const known = before.live.get(event.id)?.parts[event.part]?.text.length ?? 0
  return event.at >= known ? event : { ...event, at: known, text: event.text.slice(known - event.at) }
}

type StampedDelta = StampedEvent & { type: 'message.delta' }
