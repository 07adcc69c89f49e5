import type { RunEvent } from '@rivulet/protocol'
import type { CheckpointWrite } from '../checkpoint/write.ts'
import type { Values } from '../state/schema.ts'

/** What somebody will read. What nobody asked for is not even built. */
export interface Wants {
  readonly values: boolean
  readonly updates: boolean
  /** `task.start` and `task.end`. */
  readonly tasks: boolean
  /** Their input, triggers and result. */
  readonly taskDetails: boolean
  readonly checkpoints: boolean
  readonly messages: boolean
  readonly custom: boolean
  readonly tools: boolean
  /** Events of graphs below the root. */
  readonly subgraphs: boolean
}

/** Bytes (estimated) that may be queued by writes that wait for no reader. */
export const MAX_QUEUED_BYTES: number = 64 * 1024 * 1024

/** Where a run's events go. */
export interface Sink {
  readonly wants: Wants
  /** Takes an event; with `values` the full visible state it is about, which is not part of the event. Never throws. */
  emit(event: RunEvent, values?: Values): void
  /** A promise while the reader is behind: the run waits before its next step and its next model chunk. */
  room(): Promise<void> | undefined
  /** Whether {@link MAX_QUEUED_BYTES} are queued: then what a node writes is refused. */
  full(): boolean
  /**
   * Takes what the run keeps of its thread, in its place among the events, instead of the checkpointer. Resolves when that
   * is durable with all events before it.
   */
  keep?(write: CheckpointWrite): Promise<void>
  /** Nobody reads any more: what was not kept by now never is. */
  left?(): void
}
