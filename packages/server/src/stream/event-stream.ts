import { RivuletError, wireState, type Frame, type LogReader, type WireState } from '@rivulet/protocol'
import { publicError } from '../http/public-error.ts'
import { sseWire, type Wire } from './wire.ts'

/** What a {@link EventStream} is made of. */
export interface EventStreamOptions {
  /** Reads the log for this connection alone. */
  reader: LogReader
  /** How the connection is written to. Default: server-sent events. */
  wire?: Wire
  /** Id of the log, for heartbeats. */
  log: string
  /** Stops `reader`. */
  stop: AbortController
  /** Milliseconds between heartbeats. */
  heartbeatMs: number
  /** Milliseconds after which a connection that takes nothing is dropped. */
  stallMs: number
  /** Called once, when nothing more will come. */
  onEnd: () => void
  /** Called when the client leaves before the stream has ended. */
  onLeave?: () => void
  /** Called with what the reader threw, which the person at the other end is only told the code of. */
  onError: (error: unknown) => void
}

/** Why a stream ends before its run: an error for this reader alone, or the hint when to come back. */
export type LastWord = RivuletError | Extract<Frame, { type: 'retry' }>

/**
 * One connection's event stream as text, asked for piece by piece: {@link EventStream.take} is called when the connection
 * can take more, so a slow one keeps at most one frame here and the rest in the log. Between frames there are heartbeats,
 * written only when nothing is queued for this reader. A connection that has not asked for more in `stallMs` is told
 * `SLOW_CONSUMER` and ends; its client can resume.
 */
export class EventStream {
  readonly #options: EventStreamOptions
  readonly #wire: Wire
  readonly #state: WireState = wireState()
  readonly #clock: ReturnType<typeof setInterval>
  /** Whoever waits for the next piece. */
  #taker: ((text: string | undefined) => void) | undefined
  /** A piece nobody has taken yet. */
  #ready: string | undefined
  #reading = false
  #ended = false
  #last: LastWord | undefined
  /** Beats since the connection last asked for more. */
  #idleBeats = 0

  constructor(options: EventStreamOptions) {
    this.#options = options
    this.#wire = options.wire ?? sseWire
    this.#clock = setInterval(() => this.#beat(), options.heartbeatMs)
  }

  /** Aborts when nothing more will come, whoever ended it. */
  get ended(): AbortSignal {
    return this.#options.stop.signal
  }

  /** What was said last, once it has ended; `undefined` when nothing had to be said. */
  get lastWord(): LastWord | undefined {
    return this.#last
  }

  /** The next piece of the body, never an empty one; `undefined` at its end. One call at a time. */
  next(): Promise<string | undefined> {
    return new Promise((resolve) => this.take(resolve))
  }

  /**
   * Calls `taker` with the next piece of the body, or with `undefined` at its end: at once where there is one, and else
   * as soon as there is, with no turn in between. One call at a time; it must not throw.
   */
  take(taker: (text: string | undefined) => void): void {
    this.#idleBeats = 0
    const ready = this.#ready
    if (ready !== undefined || this.#ended) {
      this.#ready = undefined
      taker(ready)
      return
    }
    this.#taker = taker
    this.#read()
  }

  /** The client has left. */
  leave(): void {
    if (this.#ended) return
    this.end()
    this.#options.onLeave?.()
  }

  /** Ends the stream; `last` is still written: why, or a hint when to come back. */
  end(last?: LastWord): void {
    if (this.#ended) return
    this.#ended = true
    this.#last = last
    clearInterval(this.#clock)
    this.#options.stop.abort()
    this.#give((last && this.#write(last)) || undefined)
    this.#options.onEnd()
  }

  /** Reads the next frame, unless that is under way: a heartbeat may have answered whoever asked for it. */
  #read(): void {
    if (this.#reading) return
    this.#reading = true
    this.#options.reader.next(this.#onFrame, this.#onFailure)
  }

  readonly #onFrame = (frame: Frame | undefined): void => {
    this.#reading = false
    if (this.#ended) return
    if (frame === undefined) return this.end()
    let text: string
    try {
      text = this.#wire.frame(frame, this.#state)
    } catch (error) {
      return this.#onFailure(error)
    }
    if (text !== '') return this.#give(text)
    // Nothing of this frame is for this reader: whoever waits goes on to wait.
    if (this.#taker !== undefined) this.#read()
  }

  readonly #onFailure = (error: unknown): void => {
    if (this.#ended) return
    this.#options.onError(error)
    this.end(publicError(error))
  }

  #write(last: LastWord): string {
    return last instanceof RivuletError ? this.#wire.fatal(last.toJSON()) : this.#wire.frame(last, this.#state)
  }

  #give(text: string | undefined): void {
    const taker = this.#taker
    this.#taker = undefined
    if (taker !== undefined) taker(text)
    else if (text !== undefined) this.#ready = (this.#ready ?? '') + text
  }

  #beat(): void {
    if (this.#taker === undefined) {
      this.#idleBeats++
      const { heartbeatMs, stallMs } = this.#options
      if (this.#idleBeats * heartbeatMs > stallMs) this.end(TOO_SLOW)
      return
    }
    const seq = this.#options.reader.idleAt()
    const beat = seq === undefined ? '' : this.#wire.frame({ type: 'at', log: this.#options.log, seq }, this.#state)
    if (beat !== '') this.#give(beat)
  }
}

const TOO_SLOW = new RivuletError(
  'SLOW_CONSUMER',
  'the connection takes events too slowly; resume from the last cursor',
  { retryable: true },
)
