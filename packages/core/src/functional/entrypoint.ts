import type { Commit, GraphState, GraphTypes, Namespace, RunEvent, StateOptions, StreamMode } from '@rivulet/protocol'
import type { Checkpointer } from '../checkpoint/checkpointer.ts'
import { type AnyCommand, END, isCommand, START } from '../graph/command.ts'
import type { CallOptions, Graph, StreamOptions } from '../graph/compiled.ts'
import type { GraphDescription } from '../graph/describe.ts'
import type { NodeContext } from '../graph/node-context.ts'
import { StateGraph } from '../graph/state-graph.ts'
import { noContext } from '../runtime/async-context.ts'
import { currentContext } from '../runtime/task-context.ts'
import { value } from '../state/field.ts'
import { state } from '../state/schema.ts'
import type { DebugChunk, StreamEntry, TaskChunk } from '../stream/chunks.ts'

/** What an entrypoint returns and what its next run on the thread finds, where they differ. Made by {@link final}. */
export class Final<Output> {
  readonly value: Output
  readonly save: unknown

  constructor(value: Output, save: unknown) {
    this.value = value
    this.save = save
  }
}

/** Returned by an entrypoint: `value` for the caller, `save` for {@link getPreviousState} of the next run. */
export function final<Output>(options: { value: Output; save: unknown }): Final<Output> {
  return new Final(options.value, options.save)
}

/** How an entrypoint is declared. */
export interface EntrypointOptions {
  name: string
  checkpointer?: Checkpointer
}

interface EntryState {
  input: unknown
  output: unknown
  saved: unknown
}

/** The types an entrypoint streams: its values are what it returns. */
export interface EntryTypes<Input, Output> extends GraphTypes {
  state: Output
  update: unknown
  input: Input
  nodes: string
}

/** A workflow written as a function: calls tasks, branches and loops as any code does, and streams like a graph. */
export class Entrypoint<Input, Output> {
  readonly name: string
  readonly #graph: Graph

  constructor(name: string, graph: Graph) {
    this.name = name
    this.#graph = graph
  }

  /** Runs to the end and answers what the function returned; `undefined` when it stopped to ask. Rejects as `Graph.invoke`. */
  async invoke(input: Input | AnyCommand | null, options: CallOptions = {}): Promise<Output> {
    const { output } = (await this.#graph.invoke(entryInput(input), options)) as EntryState
    // What the function returned was put into this key.
    return output as Output
  }

  /** Streams as `Graph.stream`: `updates` shows each task's value, `values` the entrypoint's, once. */
  async *stream<const M extends StreamMode | readonly StreamMode[] = 'updates', const Sub extends boolean = false>(
    input: Input | AnyCommand | null,
    options: StreamOptions<M, Sub> = {},
  ): AsyncGenerator<StreamEntry<EntryTypes<Input, Output>, M, Sub>, void, undefined> {
    const { streamMode = 'updates' } = options
    for await (const entry of this.#graph.stream(entryInput(input), options)) {
      const parts: readonly unknown[] =
        Array.isArray(streamMode) || options.subgraphs ? (entry as readonly unknown[]) : [entry]
      const mode: unknown = Array.isArray(streamMode) ? parts.at(-2) : streamMode
      const chunk = this.#shown(mode, parts.at(-1), input)
      const shown: unknown = parts.length === 1 ? chunk : [...parts.slice(0, -1), chunk]
      // The same entry with the bare value in place of the state that held it.
      yield shown as StreamEntry<EntryTypes<Input, Output>, M, Sub>
    }
  }

  /** A chunk with the entrypoint's own input and output in place of the state that holds them. */
  #shown(mode: unknown, chunk: unknown, input: unknown): unknown {
    switch (mode) {
      case 'values':
        return (chunk as EntryState).output
      case 'updates': {
        const update = chunk as Record<string, EntryState>
        return Object.hasOwn(update, this.name) ? { ...update, [this.name]: update[this.name]!.output } : update
      }
      case 'tasks':
        return this.#shownTask(chunk as TaskChunk, input)
      case 'debug': {
        const debug = chunk as DebugChunk
        return debug.type === 'checkpoint'
          ? debug
          : { ...debug, payload: this.#shownTask(debug.payload as TaskChunk, input) }
      }
      default:
        return chunk
    }
  }

  #shownTask(task: TaskChunk, input: unknown): unknown {
    if (task.name !== this.name) return task
    // Of a run that goes on, the input is that of the run before.
    if ('input' in task) return isEntryInput(input) ? { ...task, input } : task
    const { output } = task.result as Partial<EntryState>
    return { ...task, result: output === undefined ? {} : output }
  }

  /** The event model of a run, as `Graph.events`. */
  events(input: unknown, options: CallOptions = {}): AsyncIterableIterator<RunEvent, undefined> {
    return this.#graph.events(entryInput(input), options)
  }

  /** The event model of a run with what it keeps in its place, as `Graph.journal`. */
  journal(
    checkpointer: object,
    input: unknown,
    options: CallOptions = {},
  ): AsyncIterableIterator<RunEvent | Commit, undefined> | undefined {
    return this.#graph.journal(checkpointer, entryInput(input), options)
  }

  /** This entrypoint with a memory of its threads, by default in this process: itself when it has a checkpointer. */
  withMemory(checkpointer?: Checkpointer): Entrypoint<Input, Output> {
    const graph = this.#graph.withMemory(checkpointer)
    return graph === this.#graph ? this : new Entrypoint<Input, Output>(this.name, graph)
  }

  /** The thread's newest state, as `Graph.getState`: what was returned last is its `output`. */
  getState(threadId: string, at?: string | StateOptions): Promise<GraphState | undefined> {
    return this.#graph.getState(threadId, at)
  }

  /** The thread's states, as `Graph.getStateHistory`. */
  getStateHistory(
    threadId: string,
    options?: { limit?: number; before?: string; ns?: Namespace },
  ): AsyncIterable<GraphState> {
    return this.#graph.getStateHistory(threadId, options)
  }

  /** Changes a thread's state, as `Graph.updateState`. What {@link getPreviousState} answers is the key `saved`. */
  updateState(
    threadId: string,
    update: unknown,
    options?: { asNode?: string; checkpointId?: string; ns?: Namespace },
  ): Promise<string> {
    return this.#graph.updateState(threadId, update, options)
  }

  /** Forgets a thread, as `Graph.deleteThread`. */
  deleteThread(threadId: string): Promise<void> {
    return this.#graph.deleteThread(threadId)
  }

  /** Its one node as JSON. */
  describe(): GraphDescription {
    return this.#graph.describe()
  }
}

function isEntryInput(input: unknown): boolean {
  return input !== null && input !== undefined && !isCommand(input)
}

function entryInput(input: unknown): Record<string, unknown> | AnyCommand | null {
  if (isEntryInput(input)) return { input }
  return isCommand(input) ? input : null
}

/** Makes a workflow of a function. Its graph has one node, named as the entrypoint; tasks it calls run below that. */
export function entrypoint<Input, Output>(
  { name, checkpointer }: EntrypointOptions,
  run: (input: Input, ctx: NodeContext) => Output | Final<Output> | Promise<Output | Final<Output>>,
): Entrypoint<Input, Output> {
  const schema = state({
    input: value<unknown>({ private: true }),
    output: value<unknown>(),
    saved: value<unknown>({ private: true }),
  })
  const graph = new StateGraph(schema)
    .addNode(name, async ({ input }, ctx) => {
      // The caller's input was typed where it was passed.
      const returned = await run(input as Input, ctx)
      return returned instanceof Final
        ? { output: returned.value, saved: returned.save }
        : { output: returned, saved: returned }
    })
    .addEdge(START, name)
    .addEdge(name, END)
    .compile({ name, ...(checkpointer !== undefined && { checkpointer }) })
  return new Entrypoint<Input, Output>(name, graph)
}

/** What the entrypoint's last run on this thread returned or saved; `undefined` on the first. Throws `NO_CONTEXT` outside. */
// oxlint-disable-next-line no-unnecessary-type-parameters -- the caller knows what it saved, as LangGraph's users write it
export function getPreviousState<T = unknown>(ctx: NodeContext | undefined = currentContext()): T | undefined {
  if (ctx === undefined) throw noContext('getPreviousState()')
  return (ctx.state as { saved?: T }).saved
}
