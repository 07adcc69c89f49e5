import { RivuletError, type TypedGraph } from '@rivulet/protocol/model'
import type { Checkpointer } from '../checkpoint/checkpointer.ts'
import type { InputOf, StateSchema, UpdateOf, ValueOf } from '../state/schema.ts'
import { timeLimit } from '../models/time-limit.ts'
import { own } from '../state/own.ts'
import { pick } from '../state/pick.ts'
import { toStateSchema } from '../state/schema.ts'
import type { Field } from '../state/field.ts'
import type { StandardSchema } from '../state/standard-schema.ts'
import { END, START, type Command, type Send } from './command.ts'
import { Graph } from './compiled.ts'
import type { NodeContext } from './node-context.ts'
import type { Branch, Join, NodeOptions, NodeSpec, Plan, RetryPolicy, TimeoutPolicy } from './plan.ts'
import { validatePlan } from './validate.ts'

/** An update: an object with state keys that is nothing else (no function, list, promise, stream or command). */
type Plain<U> = U &
  object & {
    [Symbol.hasInstance]?: never
    [Symbol.toStringTag]?: never
    [Symbol.iterator]?: never
    [Symbol.asyncIterator]?: never
    '~command'?: never
  }

type Result<U, D extends string> = Plain<U> | Command<D | END, Plain<U>> | void | undefined
type Returned<Y> = Y | PromiseLike<Y> | AsyncIterable<Y>

/** Keys a node returns that the state does not have. TypeScript checks no excess keys on inferred returns. */
type Bad<Y, U> =
  Y extends Command<string, infer O>
    ? Extract<Exclude<keyof O, keyof U>, string>
    : Y extends object
      ? Extract<Exclude<keyof Y, keyof U>, string>
      : never
type UnknownKey<K extends string> = `unknown state key "${K}"`
type Check<Y, U> = [Bad<Y, U>] extends [never] ? unknown : string extends Bad<Y, U> ? unknown : UnknownKey<Bad<Y, U>>

/** Goto targets that are known from a node's type; a dynamic one is checked at run time. */
type Gotos<Y> = Y extends Command<infer G, infer _U> ? (string extends G ? never : G) : never
/**
 * What `compile()` looks at: goto targets, and bad keys that {@link Check} did not see: `NoInfer` keeps it from telling the
 * members of a union of commands and updates apart.
 */
type Open<Y, U> = Gotos<Y> | (string extends Bad<Y, U> ? never : UnknownKey<Bad<Y, U>>)
type Missing<G extends string> = G extends UnknownKey<string> ? G : `node "${G}" is a goto target but was never added`

/** A router's answer: names (or keys of its map), sends to nodes, or a list of them. */
type Routed<K, N extends string> = K | Send<N> | readonly (K | Send<N>)[]

/** Declares what a graph's events carry, and its nodes' names up front. Fields are for the compiler only. */
export interface GraphOptions<C, IP, RS, D extends string> {
  /** Names of all nodes: `goto` is then checked where it is written. */
  nodes?: readonly D[]
  /** Type of what nodes write: `value<T>()`. */
  custom?: Field<C>
  /** Type of what a person is asked. */
  interrupt?: Field<IP>
  /** Type of what a person answers. */
  resume?: Field<RS>
  /** State keys that callers may pass. Default: all. */
  input?: readonly string[]
  /** State keys that `invoke` returns. Default: all but private ones. */
  output?: readonly string[]
}

/** How a graph is compiled. */
export interface CompileOptions {
  /** Keeps threads; without one a run's state ends with it. */
  checkpointer?: Checkpointer
  /** Shown in `run.start` and descriptions. Default `"graph"`. */
  name?: string
  /** Stop before these nodes. */
  interruptBefore?: readonly string[]
  /** Stop after these nodes. */
  interruptAfter?: readonly string[]
}

/** The {@link GraphTypes} of a graph with this schema and these names. */
export interface TypesOfGraph<S, C, IP, RS, N extends string> {
  state: ValueOf<S>
  update: UpdateOf<S>
  input: InputOf<S>
  nodes: N
  custom: C
  interrupt: IP
  resume: RS
}

interface Pieces {
  readonly nodes: Map<string, NodeSpec>
  readonly edges: Map<string, string[]>
  readonly joins: Join[]
  readonly branches: Map<string, Branch[]>
}

/** What a node takes, with a handler for when it failed for good: `error` is what it threw. */
type Options<S, X, H> = NodeOptions & {
  /** Graphs that it calls, itself or in a tool: their states are read and changed by namespace. */
  subgraphs?: readonly (Graph & TypedGraph)[]
  onError?: ((error: unknown, state: ValueOf<S>, ctx: X) => Returned<H>) & Check<NoInfer<H>, UpdateOf<S>>
}

/**
 * Builds a graph: nodes that read the state and return updates, and edges that say what runs next. Add nodes before the
 * edges that name them (for the types; at run time the order is free). Wrong keys, names and targets are compile errors.
 */
export class StateGraph<
  S extends StateSchema | StandardSchema,
  C = unknown,
  IP = unknown,
  RS = unknown,
  D extends string = string,
  N extends string = never,
  G extends string = never,
> {
  readonly #schema: StateSchema
  readonly #options: GraphOptions<C, IP, RS, D>
  readonly #pieces: Pieces = { nodes: new Map(), edges: new Map(), joins: [], branches: new Map() }

  constructor(schema: S, options: GraphOptions<C, IP, RS, D> = {}) {
    // Either form is accepted; what the types say of it was inferred from the same value.
    this.#schema = toStateSchema(schema)
    this.#options = options
  }

  /** Adds a compiled graph as a node: it reads the keys it shares with this state and returns what it ends with. */
  addNode<const K extends D>(
    name: K,
    graph: Graph & TypedGraph,
    options?: NodeOptions,
  ): StateGraph<S, C, IP, RS, D, N | K, G>
  /**
   * Adds a node: a function of state and context, sync, async or an async generator (each yield is an update). Throws
   * `INVALID_GRAPH` when the name is taken or reserved.
   */
  addNode<const K extends D, Y extends Result<UpdateOf<S>, D>, H extends Result<UpdateOf<S>, D> = never>(
    name: K,
    run: ((state: ValueOf<S>, ctx: NodeContext<C, IP, RS, UpdateOf<S>, D>) => Returned<Y>) &
      Check<NoInfer<Y>, UpdateOf<S>>,
    options?: Options<S, NodeContext<C, IP, RS, UpdateOf<S>, D>, H>,
  ): StateGraph<S, C, IP, RS, D, N | K, G | Open<Y | H, UpdateOf<S>>>
  addNode(name: string, run: unknown, options: AnyOptions = {}): unknown {
    this.#add(name, run, options)
    return this
  }

  /** Leads from a node to the next; from several: once all of them have run. */
  addEdge(from: N | START | readonly N[], to: N | END): this {
    const { joins } = this.#pieces
    const sources: readonly string[] = typeof from === 'string' ? [from] : [...new Set(from)]
    if (sources.length > 1) {
      // No name holds these separators, so no two joins share a key.
      joins.push({ key: `${[...sources].sort().join('|')}:${to}`, sources, target: to })
      return this
    }
    const [source] = sources
    if (source === undefined) throw new RivuletError('INVALID_GRAPH', `an edge to "${to}" begins nowhere`)
    this.#link(source, to)
    return this
  }

  /** Asks `route` after a node where to go: names (or keys of `map`), sends, several of them, or `END`. */
  addConditionalEdges<const R extends Routed<N | END, N>>(
    from: N | START,
    route: (state: ValueOf<S>, ctx: NodeContext<C, IP, RS, UpdateOf<S>, D>) => R | PromiseLike<R>,
    targets?: readonly (N | END)[],
  ): this
  addConditionalEdges<const K extends string | number | boolean>(
    from: N | START,
    route: (state: ValueOf<S>, ctx: NodeContext<C, IP, RS, UpdateOf<S>, D>) => Routed<K, N> | PromiseLike<Routed<K, N>>,
    map: { readonly [P in `${K}`]: N | END },
  ): this
  addConditionalEdges(
    from: string,
    route: unknown,
    targets?: readonly string[] | Readonly<Record<string, string>>,
  ): this {
    const { branches } = this.#pieces
    const pairs =
      targets === undefined
        ? undefined
        : Array.isArray(targets)
          ? targets.map((to: string) => [to, to] as const)
          : Object.entries(targets)
    const branch: Branch = { route: route as Branch['route'], targets: pairs && new Map(pairs) }
    branches.set(from, [...(branches.get(from) ?? []), branch])
    return this
  }

  /** Adds nodes that run one after the other, in the order of the keys; the first follows `after` (default: the entry). */
  addSequence<
    const Q extends Readonly<
      Record<D, (state: ValueOf<S>, ctx: NodeContext<C, IP, RS, UpdateOf<S>, D>) => Returned<Result<UpdateOf<S>, D>>>
    >,
  >(nodes: Q, after: N | START = START): StateGraph<S, C, IP, RS, D, N | Extract<keyof Q, D>, G> {
    let last: string = after
    for (const [name, run] of Object.entries(nodes)) {
      this.#add(name, run, {})
      this.#link(last, name)
      last = name
    }
    // The same object, with the names it has gained in its type.
    return this as unknown as StateGraph<S, C, IP, RS, D, N | Extract<keyof Q, D>, G>
  }

  #add(name: string, run: unknown, options: AnyOptions): void {
    const { nodes } = this.#pieces
    if (name === START || name === END || name === '' || /[|:]/.test(name)) {
      throw new RivuletError(
        'INVALID_GRAPH',
        `${JSON.stringify(name)} cannot be a node's name: it is reserved, empty, or holds ":" or "|"`,
      )
    }
    if (nodes.has(name)) throw new RivuletError('INVALID_GRAPH', `node "${name}" was added twice`)
    nodes.set(name, nodeSpec(name, run, options, this.#schema))
  }

  #link(from: string, to: string): void {
    const { edges } = this.#pieces
    const targets = edges.get(from)
    if (targets === undefined) edges.set(from, [to])
    else if (!targets.includes(to)) targets.push(to)
  }

  /** Checks the graph and makes it runnable. Throws `INVALID_GRAPH`, naming the node and saying what to do. */
  compile(
    this: [Exclude<G, N | START | END>] extends [never]
      ? StateGraph<S, C, IP, RS, D, N, G>
      : Missing<Exclude<G, N | START | END>>,
    options?: CompileOptions,
  ): Graph<TypesOfGraph<S, C, IP, RS, N>>
  compile(options: CompileOptions = {}): Graph<TypesOfGraph<S, C, IP, RS, N>> {
    const { nodes, edges, joins, branches } = this.#pieces
    const plan: Plan = {
      name: options.name ?? 'graph',
      schema: this.#schema,
      inputKeys: this.#options.input,
      outputKeys: this.#options.output,
      nodes: new Map(nodes),
      edges: new Map([...edges].map(([from, targets]) => [from, [...targets]])),
      joins: [...joins],
      branches: new Map(branches),
    }
    validatePlan(plan, options)
    return new Graph<TypesOfGraph<S, C, IP, RS, N>>({
      plan,
      checkpointer: options.checkpointer,
      interruptBefore: options.interruptBefore ?? [],
      interruptAfter: options.interruptAfter ?? [],
    })
  }
}

type AnyOptions = NodeOptions & { onError?: unknown; subgraphs?: readonly Graph[] }

function nodeSpec(name: string, run: unknown, options: AnyOptions, schema: StateSchema): NodeSpec {
  const { retry, timeout, defer = false, metadata, tags = [], onError, subgraphs = [] } = options
  if (typeof run !== 'function' && !(run instanceof Graph)) {
    throw new RivuletError('INVALID_GRAPH', `node "${name}" is neither a function nor a compiled graph`)
  }
  return {
    name,
    run: run instanceof Graph ? graphNode(run, schema) : (run as NodeSpec['run']),
    onError: onError as NodeSpec['onError'],
    retry: retryPolicy(retry),
    timeout: timeoutPolicy(name, typeof timeout === 'number' ? { runMs: timeout } : timeout),
    defer,
    metadata: own(metadata),
    tags: own(tags),
    graph: run instanceof Graph ? Graph.planOf(run) : undefined,
    calls: plansOf(name, subgraphs),
  }
}

function plansOf(node: string, graphs: readonly Graph[]): readonly Plan[] {
  const names = graphs.map(({ name }) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return graphs.map((graph) => Graph.planOf(graph))
  throw new RivuletError(
    'INVALID_GRAPH',
    `two subgraphs of node "${node}" are named "${twice}": give them names, as in compile({ name })`,
  )
}

function timeoutPolicy(name: string, policy: TimeoutPolicy | undefined): TimeoutPolicy | undefined {
  const runMs = timeLimit(policy?.runMs, `the timeout of node "${name}"`)
  const idleMs = timeLimit(policy?.idleMs, `the idle timeout of node "${name}"`)
  if (runMs === undefined && idleMs === undefined) return undefined
  return { ...(runMs !== undefined && { runMs }), ...(idleMs !== undefined && { idleMs }) }
}

function retryPolicy(retry: RetryPolicy | boolean | undefined): RetryPolicy | undefined {
  if (retry === undefined || retry === false) return undefined
  return retry === true ? {} : retry
}

/** A graph as a node: returns what it ends with of the keys both states have. */
function graphNode(graph: Graph, schema: StateSchema): NodeSpec['run'] {
  return async (state, ctx) => {
    const values = await graph.runAsNode(ctx, state)
    return pick(values as object, (key) => schema.whole !== undefined || Object.hasOwn(schema.fields, key))
  }
}
