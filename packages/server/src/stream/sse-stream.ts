import { encodeFatal, encodeFrame, RivuletError, wireState, type LogReader, type WireState } from '@rivulet/protocol'
import { publicError } from '../http/public-error.ts'

/** What a {@link SseStream} is made of. */
export interface SseStreamOptions {
  /** Reads the log for this connection alone. */
  reader: LogReader
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

/**
 * One connection's event stream as text, asked for piece by piece: {@link SseStream.next} is called when the connection
 * can take more, so a slow one keeps at most one frame here and the rest in the log. Between frames there are heartbeats,
 * written only when nothing is queued for this reader. A connection that has not asked for more in `stallMs` is told
 * `SLOW_CONSUMER` and ends; its client can resume.
 */
export class SseStream {
  readonly #options: SseStreamOptions
  readonly #frames: AsyncIterator<Parameters<typeof encodeFrame>[0]>
  readonly #wire: WireState = wireState()
  readonly #clock: ReturnType<typeof setInterval>
  /** Whoever waits for the next piece. */
  #taker: ((text: string | undefined) => void) | undefined
  /** A piece nobody has taken yet. */
  #ready: string | undefined
  #reading = false
  #ended = false
  /** Beats since the connection last asked for more. */
  #idleBeats = 0

  constructor(options: SseStreamOptions) {
    this.#options = options
    this.#frames = options.reader[Symbol.asyncIterator]()
    this.#clock = setInterval(() => this.#beat(), options.heartbeatMs)
  }

  /** Aborts when nothing more will come, whoever ended it. */
  get ended(): AbortSignal {
    return this.#options.stop.signal
  }

  /** The next piece of the body; `undefined` at its end. One call at a time. */
  next(): Promise<string | undefined> {
    this.#idleBeats = 0
    const ready = this.#ready
    if (ready !== undefined) {
      this.#ready = undefined
      return Promise.resolve(ready)
    }
    if (this.#ended) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#taker = resolve
      void this.#read()
    })
  }

  /** The client has left. */
  leave(): void {
    if (this.#ended) return
    this.end()
    this.#options.onLeave?.()
  }

  /** Ends the stream; `last` is still written, such as a hint when to come back. */
  end(last?: string): void {
    if (this.#ended) return
    this.#ended = true
    clearInterval(this.#clock)
    this.#options.stop.abort()
    this.#give(last)
    this.#options.onEnd()
  }

  /** Reads the next frame, unless that is under way: a heartbeat may have answered whoever asked for it. */
  async #read(): Promise<void> {
    if (this.#reading) return
    this.#reading = true
    try {
      const { done, value } = await this.#frames.next()
      this.#reading = false
      if (this.#ended) return
      if (done) this.end()
      else this.#give(encodeFrame(value, this.#wire))
    } catch (error) {
      if (this.#ended) return
      this.#options.onError(error)
      this.end(encodeFatal(publicError(error).toJSON()))
    }
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
      if (this.#idleBeats * heartbeatMs > stallMs) this.end(encodeFatal(TOO_SLOW.toJSON()))
      return
    }
    const seq = this.#options.reader.idleAt()
    if (seq !== undefined) this.#give(encodeFrame({ type: 'at', log: this.#options.log, seq }, this.#wire))
  }
}

const TOO_SLOW = new RivuletError(
  'SLOW_CONSUMER',
  'the connection takes events too slowly; resume from the last cursor',
  { retryable: true },
)
