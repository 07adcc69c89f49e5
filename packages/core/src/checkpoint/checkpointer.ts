import type { Values } from '../state/schema.ts'
import type { NextStep } from '../runtime/step.ts'
import type { Target } from '../graph/plan.ts'

/** A thread's state after a superstep, and what would run next. JSON: the run sees to it. */
export interface Checkpoint {
  /** Sorts by time of creation. */
  readonly id: string
  /** Checkpoint this one grew from; `undefined` for the first. */
  readonly parent: string | undefined
  /** -1 for the first input, then one more each step. */
  readonly step: number
  readonly source: 'input' | 'loop' | 'update' | 'fork'
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  readonly values: Values
  readonly next: NextStep
  /** What the ids of the next step's tasks are made from, where that is not this checkpoint: see `updateState`. */
  readonly tasksFrom?: string
  /** On a graph below the root: its name, which tells apart what one node calls. */
  readonly graph?: string
  /** On `input`: what the caller passed, so that a fork from here can run it again. */
  readonly input?: Readonly<Record<string, unknown>>
  readonly metadata: Readonly<Record<string, unknown>>
}

/** State as the difference to the parent's: keys set, keys whose array only grew, keys gone. */
export interface StateChange {
  readonly set: Readonly<Record<string, unknown>>
  readonly append: Readonly<Record<string, readonly unknown[]>>
  readonly unset: readonly string[]
}

/** A task of a step that did not finish as a whole: what it wrote, or what it asks. */
export interface TaskRecord {
  readonly task: string
  readonly node: string
  /** Its last attempt, from 1: what a run that starts it again withdraws. */
  readonly attempt?: number
  readonly updates?: readonly Readonly<Record<string, unknown>>[]
  readonly targets?: readonly Target[]
  /** Readers were told the state with these updates, so it is shown with them. */
  readonly shown?: boolean
  readonly interrupts?: readonly InterruptRecord[]
  /** What a `task()` of the functional form returned: its caller runs again and gets it from here. */
  readonly returned?: { readonly value: unknown }
}

/** A question that waits for its answer, and where it was asked. */
export interface InterruptRecord {
  readonly id: string
  readonly value: unknown
  readonly schema?: unknown
  readonly node?: string
  readonly ns?: readonly string[]
}

/** A checkpoint with what has happened of its next step. */
export interface SavedCheckpoint extends Checkpoint {
  readonly tasks: readonly TaskRecord[]
  /** Answers to interrupts by id, given so far. */
  readonly answers: Readonly<Record<string, unknown>>
}

/** What a step that stopped half way leaves at its checkpoint. */
export interface PendingStep {
  readonly tasks: readonly TaskRecord[]
  readonly answers: Readonly<Record<string, unknown>>
}

/** Where a graph's threads live. `ns` is the wire form of the namespace, `""` at the root. */
export interface Checkpointer {
  /** The checkpoint with this id, or the newest; `undefined` when there is none. */
  get(threadId: string, ns: string, id?: string): Promise<SavedCheckpoint | undefined>
  /** Adds a checkpoint. `change` is the same state as a difference to `parent`'s; a store keeps one of the two. */
  put(threadId: string, ns: string, checkpoint: Checkpoint, change: StateChange | undefined): Promise<void>
  /** Replaces what is pending at a checkpoint. */
  putPending(threadId: string, ns: string, id: string, pending: PendingStep): Promise<void>
  /** Checkpoints from the newest to the oldest; `before` is an id. */
  list(threadId: string, ns: string, options?: { before?: string; limit?: number }): AsyncIterable<SavedCheckpoint>
  deleteThread(threadId: string): Promise<void>
}
