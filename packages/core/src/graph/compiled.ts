import {
  alwaysRecorded,
  RivuletError,
  ROOT,
  streamModes,
  isStreamMode,
  type Commit,
  type GraphState,
  type GraphTypes,
  type Namespace,
  type RunEvent,
  type RunOptions,
  type StateOptions,
  type StreamableGraph,
  type StreamMode,
} from '@rivulet/protocol/model'
import type { Checkpointer } from '../checkpoint/checkpointer.ts'
import { MemoryCheckpointer } from '../checkpoint/memory.ts'
import type { Place } from '../checkpoint/place.ts'
import { historyOf, stateOf, updateThread } from '../checkpoint/threads.ts'
import { GraphRun } from '../runtime/graph-run.ts'
import { drive, driveBelow, type RunRequest, type RunResult } from '../runtime/drive.ts'
import { randomId } from '../runtime/ids.ts'
import { RunScope, type RunSettings } from '../runtime/run-scope.ts'
import { own } from '../state/own.ts'
import { pick } from '../state/pick.ts'
import { onAbort } from '../runtime/on-abort.ts'
import { checkInput, takeInput } from '../runtime/start.ts'
import { currentContext } from '../runtime/task-context.ts'
import type { InterruptUpdate, StreamEntry } from '../stream/chunks.ts'
import { Delivery } from '../stream/delivery.ts'
import { eventSink, projectingSink, sizeOfChunk } from '../stream/event-queue.ts'
import { Projection, wantsFor, type StreamFilter } from '../stream/project.ts'
import { journalSink } from '../stream/journal-sink.ts'
import type { Sink, Wants } from '../stream/sink.ts'
import type { Command, END } from './command.ts'
import { describePlan, mermaidOf, type GraphDescription } from './describe.ts'
import type { NodeContext } from './node-context.ts'
import type { Plan } from './plan.ts'

/** How a graph is called. */
export interface CallOptions extends RunOptions {
  /** Stop before these nodes (`"*"`: every one); go on by a run with `null` as input. */
  interruptBefore?: readonly string[]
  /** Stop after these nodes. */
  interruptAfter?: readonly string[]
}

/** How a graph is streamed. */
export interface StreamOptions<M, Sub> extends CallOptions {
  /** One mode: entries are chunks. A list: entries are `[mode, chunk]`. Default `"updates"`. */
  streamMode?: M
  /** Also what graphs below the root do; entries then begin with the namespace. Default `false`. */
  subgraphs?: Sub
  filter?: StreamFilter
  /** Only these state keys in `values` and `updates`; a single name yields its bare value. Default: all that are not private. */
  outputKeys?: string | readonly string[]
}

/**
 * What a graph takes: state keys, a command (whose `resume` is an answer of the graph's type, or answers by interrupt id),
 * or `null` to go on from where the thread stands.
 */
export type GraphInput<T extends GraphTypes> =
  | T['input']
  | Command<T['nodes'] | END, unknown, T['resume'] | Readonly<Record<string, T['resume']>>>
  | null

/** What a graph answers: its state, and the interrupts it waits for, if any. */
export type Answer<T extends GraphTypes> = T['state'] & Partial<InterruptUpdate<T['interrupt']>>

/** What a graph was compiled with. */
export interface Compiled {
  readonly plan: Plan
  readonly checkpointer: Checkpointer | undefined
  readonly interruptBefore: readonly string[]
  readonly interruptAfter: readonly string[]
}

/** A compiled graph: runs, streams, and knows its threads. Made by `StateGraph.compile()`. */
export class Graph<T extends GraphTypes = GraphTypes> implements StreamableGraph {
  declare readonly '~types'?: T
  readonly name: string
  readonly #compiled: Compiled

  constructor(compiled: Compiled) {
    this.name = compiled.plan.name
    this.#compiled = compiled
  }

  /**
   * Runs to the end and answers the state; `__interrupt__` is there when it stopped to ask. Rejects with what a node
   * threw, untouched, or with a `RivuletError` of ours (`RECURSION_LIMIT`, `CANCELLED`, `INVALID_INPUT` …). Called inside
   * a node it runs below that node and streams through it, unless it is given a thread of its own; of the options only
   * `signal` counts there, the rest is the run's.
   */
  async invoke(input: GraphInput<T>, options: CallOptions = {}): Promise<Answer<T>> {
    const ctx = currentContext()
    // The state has the type the schema declared: nodes' updates were checked against it.
    if (ctx !== undefined && options.threadId === undefined)
      return await driveBelow(this.#compiled.plan, ctx, input, { signal: options.signal })
    const result = await this.#run(input, options, SILENT)
    if (result.error !== undefined) throw result.error.thrown
    const asked = result.asked.map(({ id, value }) => ({ id, value }))
    return result.status === 'interrupted' ? { ...result.values, __interrupt__: asked } : result.values
  }

  /**
   * Runs and yields what happens, as it happens. Everything told before a failure arrives, then the failure, untouched.
   * Leaving the loop stops the run; so does the signal, and then the iteration throws `CANCELLED`. Nothing runs before
   * the first `next()`.
   */
  stream<const M extends StreamMode | readonly StreamMode[] = 'updates', const Sub extends boolean = false>(
    input: GraphInput<T>,
    options: StreamOptions<M, Sub> = {},
  ): AsyncIterableIterator<StreamEntry<T, M, Sub>, undefined> {
    const { streamMode = 'updates', subgraphs = false, filter = {}, outputKeys, ...call } = options
    const modes = listOfModes(streamMode)
    const named = typeof streamMode !== 'string'
    const delivery = this.#deliver<StreamEntry<T, M, Sub>>(input, call, modes, (delivery) => {
      const projection = new Projection(modes, { ...filter, outputKeys }, (ns, mode, chunk) => {
        const entry = named ? [mode, chunk] : [chunk]
        const whole: unknown = subgraphs ? [ns, ...entry] : named ? entry : chunk
        // The projection makes the entry that these options promise; the types are computed from the same options.
        delivery.push(whole as StreamEntry<T, M, Sub>, sizeOfChunk(mode, chunk))
      })
      const wants = wantsFor(modes, subgraphs)
      return projectingSink(delivery, wants, (event, values) => projection.take(event, values))
    })
    return delivery
  }

  /**
   * Runs and yields the event model itself, from `run.start` to `run.end`. A failing run ends with its `run.end`; the
   * iteration itself does not throw.
   */
  events(input: unknown, options: CallOptions = {}): AsyncIterableIterator<RunEvent, undefined> {
    const wants = wantsOfEvents(options)
    return this.#deliver<RunEvent>(input, options, options.modes, (delivery) => eventSink(delivery, wants), false)
  }

  /**
   * As `events`, for a store that keeps events and checkpoints together: what the run keeps comes as `Commit` in its place
   * among the events, and is not written by the checkpointer. `undefined` when that is not this graph's.
   */
  journal(
    checkpointer: object,
    input: unknown,
    options: CallOptions = {},
  ): AsyncIterableIterator<RunEvent | Commit, undefined> | undefined {
    if (checkpointer !== this.#compiled.checkpointer) return undefined
    const wants = wantsOfEvents(options)
    const sinkOf = (delivery: Delivery<RunEvent | Commit>) => journalSink(delivery, wants)
    return this.#deliver(input, options, options.modes, sinkOf, false)
  }

  /** What a graph walks. Internal. */
  static planOf(graph: Graph): Plan {
    return graph.#compiled.plan
  }

  #deliver<E>(
    input: unknown,
    options: CallOptions,
    modes: readonly StreamMode[] | undefined,
    sinkOf: (delivery: Delivery<E>) => Sink,
    throwing = true,
  ): Delivery<E> {
    const taken = takeInput(input)
    const leave = new AbortController()
    let running: Promise<void> = Promise.resolve()
    let sink: Sink | undefined
    const start = (): void => {
      const { signal } = options
      const off = onAbort(signal, () => leave.abort(signal?.reason))
      const call = { ...options, signal: leave.signal, ...(modes && { modes }) }
      sink = sinkOf(delivery)
      running = this.#run(taken, call, sink).then(({ error }) => {
        off()
        delivery.end(throwing ? error : undefined)
      })
    }
    const delivery: Delivery<E> = new Delivery<E>(start, async () => {
      leave.abort(new RivuletError('CANCELLED', 'the reader left'))
      sink?.left?.()
      await running
    })
    return delivery
  }

  #run(input: unknown, options: CallOptions, sink: Sink): Promise<RunResult> {
    const settings = this.#settings(options, sink)
    const request: RunRequest = {
      plan: this.#compiled.plan,
      input,
      settings,
      checkpointId: options.checkpointId,
      graph: options.graph ?? this.#compiled.plan.name,
      historyInLog: options.historyInLog ?? false,
      modes: options.modes?.filter((mode) => !alwaysRecorded.includes(mode)),
      signal: options.signal,
      attempt: options.attempt ?? 1,
    }
    return drive(request, new RunScope(settings))
  }

  #settings(options: CallOptions, sink: Sink): RunSettings {
    const { interruptBefore, interruptAfter, checkpointer } = this.#compiled
    return {
      run: options.runId ?? randomId(),
      threadId: options.threadId,
      tags: own(options.tags ?? []),
      metadata: takeInput(options.metadata ?? {}) as RunSettings['metadata'],
      context: options.context,
      recursionLimit: options.recursionLimit ?? 25,
      maxConcurrency: options.maxConcurrency ?? Infinity,
      durability: options.durability ?? 'async',
      checkpointer: options.threadId === undefined ? undefined : checkpointer,
      sink,
      interruptBefore: options.interruptBefore ?? interruptBefore,
      interruptAfter: options.interruptAfter ?? interruptAfter,
    }
  }

  /** Runs below the task of `ctx`: in its namespace, with its signal, streaming live. Prefer `ctx.run(graph, input)`. */
  async runWithin(ctx: NodeContext, input: T['input']): Promise<T['state']> {
    return await driveBelow(this.#compiled.plan, ctx, input)
  }

  /** Runs below the task of `ctx` as its node: with the keys that this graph reads of what the task has read. */
  async runAsNode(ctx: NodeContext, state: unknown): Promise<T['state']> {
    return await driveBelow(this.#compiled.plan, ctx, this.#inputFrom(state), { shared: true })
  }

  #inputFrom(state: unknown): Record<string, unknown> {
    const { schema, inputKeys = schema.whole === undefined ? Object.keys(schema.fields) : undefined } =
      this.#compiled.plan
    return pick(state as object, (key) => inputKeys?.includes(key) ?? true)
  }

  /**
   * Throws `INVALID_INPUT` when a run could not take this input. A schema for the whole state sees it over what the
   * thread holds; without a thread that is left to the run.
   */
  checkInput(
    input: unknown,
    { threadId, checkpointId }: Pick<CallOptions, 'threadId' | 'checkpointId'> = {},
  ): Promise<void> {
    const { plan, checkpointer } = this.#compiled
    if (threadId === undefined || plan.schema.whole === undefined) return checkInput(plan, input, undefined)
    return checkInput(plan, input, async () => (await checkpointer?.get(threadId, '', checkpointId))?.values)
  }

  /** This graph with a memory of its threads, by default in this process: itself when it has a checkpointer. */
  withMemory(checkpointer?: Checkpointer): Graph<T> {
    return this.#compiled.checkpointer === undefined
      ? new Graph<T>({ ...this.#compiled, checkpointer: checkpointer ?? new MemoryCheckpointer() })
      : this
  }

  /**
   * The thread's state, newest or at a checkpoint; `undefined` when there is none. With `ns` that of a graph below; with
   * `subgraphs` also the tasks of the next step, each with the state below it. Throws `UNSUPPORTED` without a
   * checkpointer, and for a graph below that its node does not name in its `subgraphs`.
   */
  async getState(threadId: string, at: string | StateOptions = {}): Promise<GraphState | undefined> {
    return await stateOf(this.#place(threadId), typeof at === 'string' ? { checkpointId: at } : at)
  }

  /** The thread's states, or those of a graph below, from the newest to the oldest. Throws as {@link Graph.getState}. */
  getStateHistory(
    threadId: string,
    options: { limit?: number; before?: string; ns?: Namespace } = {},
  ): AsyncIterable<GraphState> {
    return historyOf(this.#place(threadId), options)
  }

  /**
   * Changes a thread's state. With `asNode` as if that node had returned `update`: what follows it runs next, its routers
   * are asked. Without, what was to run still is, and a question that waits can still be answered. With `ns` it changes
   * that of a graph below that waits for an answer, and the run that gives it goes on from there. Answers the new
   * checkpoint's id. Throws `INVALID_UPDATE` on unknown keys, `INVALID_INPUT` when nothing waits below `ns`, `UNSUPPORTED`
   * as {@link Graph.getState}.
   */
  async updateState(
    threadId: string,
    update: unknown,
    { asNode, checkpointId: from, ns }: { asNode?: string; checkpointId?: string; ns?: Namespace } = {},
  ): Promise<string> {
    const scope = new RunScope(this.#settings({ threadId }, SILENT))
    const runOf = ({ plan, ns: where }: Place): GraphRun => new GraphRun(scope, plan, where)
    return await updateThread(this.#place(threadId), runOf, { update, asNode, from, ns })
  }

  /** Forgets a thread: a later run on that id starts empty. Throws `UNSUPPORTED` without a checkpointer. */
  async deleteThread(threadId: string): Promise<void> {
    await this.#memory().deleteThread(threadId)
  }

  #place(threadId: string): Place {
    return { checkpointer: this.#memory(), threadId, plan: this.#compiled.plan, ns: ROOT }
  }

  #memory(): Checkpointer {
    const { checkpointer } = this.#compiled
    if (checkpointer !== undefined) return checkpointer
    throw new RivuletError('UNSUPPORTED', `graph "${this.name}" has no checkpointer: compile({ checkpointer })`)
  }

  /** Nodes and edges as JSON. */
  describe(): GraphDescription {
    return describePlan(this.#compiled.plan)
  }

  /** Nodes and edges as a Mermaid flowchart. */
  toMermaid(): string {
    return mermaidOf(describePlan(this.#compiled.plan))
  }
}

function wantsOfEvents({ modes = [] }: CallOptions): Wants {
  return { ...wantsFor([...alwaysRecorded, ...modes], true), tasks: true }
}

/** A sink for `invoke`: nobody reads, so nothing is built. */
const SILENT: Sink = { wants: wantsFor([], false), emit: () => {}, room: () => undefined, full: () => false }

function listOfModes(given: StreamMode | readonly StreamMode[]): readonly StreamMode[] {
  const modes = typeof given === 'string' ? [given] : given
  const wrong = modes.find((mode) => !isStreamMode(mode))
  if (wrong === undefined) return modes
  throw new RivuletError(
    'INVALID_INPUT',
    `there is no stream mode "${String(wrong)}"; there are: ${streamModes.join(', ')}`,
  )
}
