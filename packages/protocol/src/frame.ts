import type { RivuletEvent } from './events/event.ts'

/**
 * What a wire carries, whatever the wire. A transport yields frames; the client folds `events` as one atomic group.
 */
export type Frame =
  | { type: 'events'; log: string; events: readonly RivuletEvent[] }
  /** Heartbeat: the reader has everything up to `seq`. */
  | { type: 'at'; log: string; seq: number }
  /** The server asks to come back after this time; it is about to close. */
  | { type: 'retry'; delayMs: number }
