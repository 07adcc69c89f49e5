import {
  encodeFatal,
  encodeFrame,
  encodeSocketFatal,
  encodeSocketFrame,
  type Frame,
  type WireError,
  type WireState,
} from '@rivulet/protocol'

/** How frames are written for a connection. */
export interface Wire {
  frame(frame: Frame, state: WireState): string
  /** What ends the stream for this reader alone. */
  fatal(error: WireError): string
}

/** Server-sent events. */
export const sseWire: Wire = { frame: encodeFrame, fatal: encodeFatal }

/** One JSON object a frame. */
export const socketWire: Wire = { frame: encodeSocketFrame, fatal: encodeSocketFatal }
