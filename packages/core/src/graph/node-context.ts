import type { MessageInput, Namespace } from '@rivulet/protocol'
import type { StandardSchema } from '../state/standard-schema.ts'
import type { Command, CommandOptions, END } from './command.ts'

/** Progress of something with a known or unknown end. */
export interface Progress {
  done?: number
  total?: number
  message?: string
  readonly [key: string]: unknown
}

/** A graph that a node can call. */
export interface CallableGraph<Input = never, Output = unknown> {
  /** Runs below the task of `ctx`: in its namespace, with its signal, streaming live. */
  runWithin(ctx: NodeContext, input: Input): Promise<Output>
}

/**
 * A function whose parameters compare both ways, so that a node written for any graph (`ctx: NodeContext`) fits a graph
 * whose writes and questions are typed.
 */
type Fitting<Args extends readonly unknown[], Result> = { call(...args: Args): Result }['call']

/** What a node (or a tool in it) is given beside its state. Its functions may be taken off it. */
export interface NodeContext<
  Custom = unknown,
  Ask = unknown,
  Answer = unknown,
  Update = unknown,
  Names extends string = string,
> {
  /** Name of the node. */
  readonly node: string
  /** Superstep, from 1. */
  readonly step: number
  /** Supersteps that may follow this one in its graph before `RECURSION_LIMIT`. */
  readonly stepsLeft: number
  /** Id of the task: stable when it runs again after a crash or an interrupt, so it can serve as an idempotency key. */
  readonly task: string
  /** Which try this is, from 1. */
  readonly attempt: number
  /** Path of the graph this node is in; `[]` at the root. */
  readonly namespace: Namespace
  /** Tags of the run and the node. */
  readonly tags: readonly string[]
  /** Metadata of the run and the node. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** What the caller passed as `context`. */
  readonly context: unknown
  readonly runId: string
  readonly threadId: string | undefined
  /** The state this task read, or what a `Send` passed. */
  readonly state: unknown
  /** Id of the tool call this context belongs to; `undefined` in a node itself. */
  readonly toolCallId: string | undefined
  /** Fires when the run is stopped, a sibling failed or the time is up. */
  readonly signal: AbortSignal
  /** Sends custom data to whoever watches, at once. JSON; anything else becomes an `error` event. Throws `NO_CONTEXT` once the task is over. */
  readonly writer: Fitting<[data: Custom, name?: string], void>
  /** Tells how far something is: custom data named `progress`. A number is `done`. */
  readonly progress: (progress: Progress | number) => void
  /** An update and where to go next; completes the graph's names and keys. */
  readonly command: {
    call<const G extends Names | END = never>(options: CommandOptions<G, Update, never>): Command<G, Update & object>
  }['call']
  /**
   * Asks a person and answers what they said. The first time it leaves the node by throwing; once answered, the node runs
   * again from its start and this returns the answer. Needs a checkpointer (`UNSUPPORTED`). An answer that
   * does not fit `schema` is not taken: the run fails with `INVALID_INPUT`, and the question goes on waiting.
   */
  readonly interrupt: { call<T = Answer>(value: Ask, options?: { schema?: StandardSchema<unknown, T> }): T }['call']
  /** Runs a graph below this task, with its namespace, streaming live. Works where there is no AsyncLocalStorage too. */
  readonly run: <I, O>(graph: CallableGraph<I, O>, input: NoInfer<I>) => Promise<O>
  /** Shows a message at once, before the node returns; it enters the state only if the node returns it too. Answers its id. */
  readonly pushMessage: (message: MessageInput | string) => string
}
