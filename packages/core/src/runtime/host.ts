import type { Message, Namespace, RivuletError, TaskOutcome } from '@rivulet/protocol'
import type { NodeSpec, Plan, Target } from '../graph/plan.ts'
import type { Update, Values } from '../state/schema.ts'
import type { Wants } from '../stream/sink.ts'
import type { RunScope } from './run-scope.ts'

/** One node about to run in one step. */
export interface Task {
  readonly id: string
  readonly spec: NodeSpec
  /** What the node reads: the state, or a send's own input. */
  readonly input: unknown
  readonly triggers: readonly string[]
  /** Made by `Send`: applies after the nodes that edges reached. */
  readonly sent: boolean
}

/** What a graph tells the attempt that calls it: what its tasks show is withdrawn with that attempt. */
export interface Caller {
  noteShown(id: string, message: Message | undefined): void
  rememberShown(id: string): void
}

/** What tasks see of the graph that runs them. */
export interface GraphHost {
  readonly scope: RunScope
  readonly plan: Plan
  readonly ns: Namespace
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  /** The attempt that calls this graph; none at the root. */
  readonly caller: Caller | undefined
  /** Why this graph was stopped: its run, or the task that called it; `undefined` while it goes on. */
  readonly stopped: RivuletError | undefined
  readonly wants: Wants
  /** Keys of message lists that the graph above has too, where this graph is a node of it. */
  readonly sharedLists: readonly string[]
  /** Namespace on whose page this graph's messages stand while they stream. */
  readonly page: Namespace
  /** Answers to interrupts of this graph, by id. */
  readonly answers: ReadonlyMap<string, unknown>
  /** Takes no answer that does not fit: its question is asked again, and the run fails with the reason once it stops to ask. */
  refuseAnswer(id: string, reason: RivuletError): void
  /** State that the tasks of the current step read. */
  readonly values: Values
  readonly step: number
  /** Supersteps that may follow the current one. */
  readonly stepsLeft: number
  /** Checkpoint the current step started from. */
  readonly checkpoint: string | undefined
  /** A task of this step has failed: the others are being aborted. */
  readonly failing: boolean
  /** Tasks that asked in an earlier run and start again in this one, with their last attempt. */
  readonly resuming: ReadonlyMap<string, number>
  /** Calls `listener` when this graph is stopped, at once if it already is; the answer takes it off again. */
  onStop(listener: (reason: RivuletError) => void): () => void
  /** What tasks that a node called by function returned in this step, by task id: given again when the node runs again. */
  readonly returned: Map<string, { readonly node: string; readonly value: unknown }>
  /** A task that a node calls by function begins, ends, or had ended before. */
  tellCall(task: Task, what: CallNews): void
  isTarget(name: string): boolean
  knownMessage(id: string): Message | undefined
  /** A message that a node shows, in our shape. Throws `INVALID_INPUT`. */
  readMessage(message: unknown, makeId: () => string): Message
  open(attempt: Closable): void
  close(attempt: Closable, reason: RivuletError): void
  withdraw(attempt: Closable): void
  /** A task gave a sign of life. */
  alive(): void
}

/** What is told of a task that a node calls by function. */
export type CallNews =
  | { readonly phase: 'start' }
  | { readonly phase: 'returned'; readonly value: unknown; readonly cached: boolean }
  | { readonly phase: 'failed'; readonly result: TaskResult }

/** How a task ended. */
export interface TaskResult {
  readonly outcome: TaskOutcome
  readonly updates: readonly Update[]
  readonly targets: readonly Target[]
  readonly asked: readonly Asked[]
  /** The attempt that ended it, from 1; left out when it did not run. */
  readonly attempt?: number
  /** What was thrown, untouched. */
  readonly error?: { readonly thrown: unknown }
}

/** A question to a person. */
export interface Asked {
  readonly id: string
  readonly value: unknown
  readonly schema?: unknown
  readonly node?: string
  readonly ns?: Namespace
}

/** What a graph does with an attempt of one of its tasks. */
export interface Closable {
  readonly task: Task
  readonly number: number
  onLife: (() => unknown) | undefined
  close(reason: RivuletError, abort: boolean): void
  forgetShown(): void
}
