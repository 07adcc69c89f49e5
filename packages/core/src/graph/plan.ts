import type { StateSchema } from '../state/schema.ts'
import type { Send } from './command.ts'
import type { NodeContext } from './node-context.ts'

/** A node's function as the runtime calls it: types were checked where it was added. */
export type NodeFunction = (state: unknown, ctx: NodeContext) => unknown

/** How failed attempts are tried again. */
export interface RetryPolicy {
  /** Attempts in all. Default 3. */
  attempts?: number
  /** Wait before the second attempt in ms. Default 500. */
  delayMs?: number
  /** Factor from wait to wait. Default 2. */
  backoff?: number
  /** Longest wait in ms, before jitter. Default 128,000. */
  maxDelayMs?: number
  /** Whether to add a random share of up to one second. Default `true`. */
  jitter?: boolean
  /** Which errors to retry. Default: all but cancellation and errors marked as not retryable. */
  retryOn?: (error: unknown) => boolean
}

/** How long a node may take, in ms. */
export interface TimeoutPolicy {
  /** For the whole attempt. */
  runMs?: number
  /** Without a sign of life: a token, a write, progress. */
  idleMs?: number
}

/** What can be said about a node when it is added. */
export interface NodeOptions {
  /** `true` for the defaults of {@link RetryPolicy}. Default: no retry. */
  retry?: RetryPolicy | boolean
  /** A number is `runMs`. Default: none, as with `Infinity`. */
  timeout?: number | TimeoutPolicy
  /** Runs only when nothing else is left to run. Default `false`. */
  defer?: boolean
  metadata?: Readonly<Record<string, unknown>>
  /** Tags of everything this node streams. */
  tags?: readonly string[]
}

/** A node of a compiled graph. */
export interface NodeSpec {
  readonly name: string
  readonly run: NodeFunction
  /** Called with the last attempt's error; what it returns stands for the node's result. */
  readonly onError: ((error: unknown, state: unknown, ctx: NodeContext) => unknown) | undefined
  readonly retry: RetryPolicy | undefined
  readonly timeout: TimeoutPolicy | undefined
  readonly defer: boolean
  readonly metadata: Readonly<Record<string, unknown>> | undefined
  readonly tags: readonly string[]
  /** The graph that this node is. */
  readonly graph: Plan | undefined
  /** Graphs that its function says it calls; no two have one name. */
  readonly calls: readonly Plan[]
}

/** Where a conditional edge leads. */
export interface Branch {
  readonly route: (state: unknown, ctx: NodeContext) => unknown
  /** Names by what the router answers; without one the router answers names. */
  readonly targets: ReadonlyMap<unknown, string> | undefined
}

/** An edge from several nodes: its target runs once all of them have. */
export interface Join {
  readonly key: string
  readonly sources: readonly string[]
  readonly target: string
}

/** A compiled graph as data: what the runtime walks. */
export interface Plan {
  readonly name: string
  readonly schema: StateSchema
  readonly inputKeys: readonly string[] | undefined
  readonly outputKeys: readonly string[] | undefined
  readonly nodes: ReadonlyMap<string, NodeSpec>
  readonly edges: ReadonlyMap<string, readonly string[]>
  readonly joins: readonly Join[]
  readonly branches: ReadonlyMap<string, readonly Branch[]>
}

/** Where a task sends the run next, besides its edges. */
export type Target = string | Send
