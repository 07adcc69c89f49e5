import { RivuletError } from '../errors.ts'
import type { Frame } from '../frame.ts'
import { parseCursor } from '../log/event-log.ts'
import { createBlockReader } from './block-reader.ts'
import { createSsePush, MAX_EVENT_BYTES } from './decode-sse.ts'
import { mismatch, parseJson } from './parse-json.ts'

/** Bounds of a {@link FrameDecoder}. */
export interface FrameDecoderOptions {
  /** Longest event or batch, in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
  /** Deepest nesting of an event. Default 1,024. */
  maxJsonDepth?: number | undefined
}

/** A decoder of one response body of the own wire. */
export interface FrameDecoder {
  /**
   * The frames that this piece completes; pieces may be cut anywhere. After something that ends the stream the frames
   * before it are still returned and {@link FrameDecoder.error} is set; the next call throws it, and this one does when
   * there is nothing to return.
   *
   * Throws `PROTOCOL_MISMATCH` for what is not the own wire (malformed JSON, an event without a cursor),
   * `LIMIT_EXCEEDED` for an event that is too long or too deep, and whatever the server said for this reader (`SLOW_CONSUMER`).
   */
  push(chunk: Uint8Array | string): Frame[]
  /** The body ended; what came of an event that was not complete is dropped. Throws {@link FrameDecoder.error}. */
  end(): void
  /** Why the stream cannot be read on. */
  readonly error: RivuletError | undefined
}

/**
 * Reads the own wire that `encodeFrame` writes. Events are taken as they come, whatever their type: validating each one
 * would cost more than parsing it, and the fold ignores and counts what it does not know.
 */
export function createFrameDecoder(options: FrameDecoderOptions = {}): FrameDecoder {
  const { maxEventBytes = MAX_EVENT_BYTES, maxJsonDepth } = options
  const readBlock = createBlockReader()
  let frames: Frame[] = []
  let failure: RivuletError | undefined
  const push = createSsePush({
    maxEventBytes,
    onEvent: ({ event, id, data }) => frames.push(readBlock(event, id, parseJson(data, event, maxJsonDepth))),
    onComment(comment) {
      if (!comment.startsWith('at ')) return
      const cursor = parseCursor(comment.slice('at '.length))
      if (cursor !== undefined) frames.push({ type: 'at', log: cursor.log, seq: cursor.seq })
    },
    onRetry: (delayMs) => frames.push({ type: 'retry', delayMs }),
  })
  function fail(): void {
    if (failure !== undefined) throw failure
  }
  return {
    push(chunk) {
      fail()
      frames = []
      try {
        push(chunk)
      } catch (error) {
        // Only our own errors are thrown by the callbacks above; the parser throws none before a limit was met.
        failure = error instanceof RivuletError ? error : mismatch('the stream cannot be read', error)
      }
      if (frames.length === 0) fail()
      return frames
    },
    end: fail,
    get error() {
      return failure
    },
  }
}
