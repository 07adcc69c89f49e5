import { Command } from '@rivulet/core'
import {
  messageOfThrown,
  RivuletError,
  type GraphState,
  type Namespace,
  type RunEvent,
  type RunOptions,
  type StreamableGraph,
  type StreamMode,
} from '@rivulet/protocol'
import { createLangGraphDecoder, type LangGraphDecoder, readLangGraphState } from '@rivulet/protocol/wires/langgraph'
import { plain } from './plain.ts'

/** How a thread, and a checkpoint of it, is named to LangGraph. */
interface Config {
  configurable?: Readonly<Record<string, unknown>>
}

/** A state as LangGraph answers it. */
interface Snapshot {
  values?: unknown
  next?: unknown
  tasks?: unknown
  metadata?: unknown
  createdAt?: unknown
  config?: Config
  parentConfig?: Config
}

/** A compiled graph of LangGraph.js, by structure: what is used of it. */
export interface LangGraphLike {
  stream(input: never, options: never): unknown
  checkpointer?: unknown
  getState?: unknown
  getStateHistory?: unknown
  updateState?: unknown
}

/** The same with the arguments it is called with, which its own types do not need to know. */
interface Callable {
  stream(input: unknown, options: object): AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>
  checkpointer?: { deleteThread?(threadId: string): Promise<void> } | boolean
  getState(config: Config): Promise<Snapshot>
  getStateHistory(config: Config, options: object): AsyncIterable<Snapshot>
  updateState(config: Config, update: unknown, asNode?: string): Promise<Config>
}

/** LangGraph's modes behind what a run always records. */
const ALWAYS = ['values', 'messages', 'custom']
const MORE: readonly StreamMode[] = ['updates', 'tasks', 'checkpoints', 'tools']

/** Whether something is a graph of LangGraph: it streams, and has no events of ours. */
export function isLangGraph(graph: object): graph is LangGraphLike {
  return 'stream' in graph && typeof graph.stream === 'function' && !('events' in graph)
}

/**
 * A compiled graph of LangGraph.js as one of ours: its stream is read as LangGraph's own wire is. It keeps its threads in
 * its own checkpointer; without one, each run begins empty and nothing is kept.
 */
export function langGraph(given: LangGraphLike): StreamableGraph {
  // A compiled graph takes these; what it does not take it says when it is called.
  const graph = given as unknown as Callable
  const events = (input: unknown, options: RunOptions = {}): AsyncIterable<RunEvent> => eventsOf(graph, input, options)
  if (graph.checkpointer === undefined || graph.checkpointer === false) return { events }
  return {
    events,
    async getState(threadId, at = {}) {
      const { checkpointId, ns } = typeof at === 'string' ? { checkpointId: at } : at
      rootOnly(ns)
      return stateOf(graph, threadId, checkpointId)
    },
    async *getStateHistory(threadId, { limit, before, ns } = {}) {
      rootOnly(ns)
      const options = {
        ...(limit !== undefined && { limit }),
        ...(before !== undefined && { before: configOf(threadId, before) }),
      }
      for await (const one of graph.getStateHistory(configOf(threadId), options)) yield readState(one)
    },
    async updateState(threadId, update, { asNode, checkpointId, ns } = {}) {
      rootOnly(ns)
      const made = await graph.updateState(configOf(threadId, checkpointId), update, asNode)
      return String(made.configurable?.['checkpoint_id'])
    },
    async deleteThread(threadId) {
      if (typeof graph.checkpointer === 'object') await graph.checkpointer.deleteThread?.(threadId)
    },
  }
}

function rootOnly(ns: Namespace = []): void {
  if (ns.length > 0) throw new RivuletError('UNSUPPORTED', 'of a graph of LangGraph the state is read at its root')
}

async function* eventsOf(graph: Callable, input: unknown, options: RunOptions): AsyncGenerator<RunEvent, void> {
  const { runId: run = '', signal, modes = [], graph: name } = options
  const resume = input instanceof Command ? await interruptIds(graph, options) : undefined
  const decoder = createLangGraphDecoder({ run, resume })
  try {
    yield* started(decoder, options, name)
    const stream = await graph.stream(inputOf(input), streamOptions(options, modes))
    for await (const chunk of stream) yield* decoder.push(...blockOf(chunk))
    yield* decoder.end()
  } catch (error) {
    yield* endsOf(decoder, error, signal?.aborted ?? false)
  }
}

function endsOf(decoder: LangGraphDecoder, error: unknown, isStopped: boolean): RunEvent[] {
  if (isStopped) return decoder.end('cancelled')
  const message = messageOfThrown(error)
  return [...decoder.push('error', { error: 'NODE_FAILED', message }), ...decoder.end('error')]
}

/** The decoder's own start of the run, with what it cannot know. */
function started(decoder: LangGraphDecoder, { attempt = 1 }: RunOptions, name: string | undefined): RunEvent[] {
  return decoder
    .push('metadata', { attempt })
    .map((event) => (event.type === 'run.start' && name !== undefined ? { ...event, graph: name } : event))
}

async function interruptIds(graph: Callable, { threadId, checkpointId }: RunOptions): Promise<readonly string[]> {
  if (threadId === undefined || !graph.checkpointer) return []
  const state = await stateOf(graph, threadId, checkpointId)
  return (state?.interrupts ?? []).map(({ id }) => id)
}

function streamOptions(options: RunOptions, modes: readonly StreamMode[]): object {
  const { threadId, checkpointId, signal, tags, metadata, context, recursionLimit, maxConcurrency, durability } =
    options
  return {
    ...(threadId !== undefined && configOf(threadId, checkpointId)),
    streamMode: [...ALWAYS, ...MORE.filter((mode) => modes.includes(mode) || modes.includes('debug'))],
    subgraphs: true,
    ...(signal && { signal }),
    ...(tags && { tags: [...tags] }),
    ...(metadata && { metadata }),
    ...(context !== undefined && { context }),
    ...(recursionLimit !== undefined && { recursionLimit }),
    ...(maxConcurrency !== undefined && { maxConcurrency }),
    ...(durability !== undefined && { durability }),
  }
}

function configOf(threadId: string, checkpointId?: string): Config {
  const checkpoint = checkpointId === undefined ? {} : { checkpoint_id: checkpointId }
  return { configurable: { thread_id: threadId, ...checkpoint } }
}

/** LangGraph tells a command by this name, on what is no plain object. */
class LangGraphCommand {
  readonly lg_name = 'Command'
  readonly lc_direct_tool_output = true
  readonly resume: unknown
  readonly update: unknown
  readonly goto: readonly unknown[]

  constructor({ resume, update, goto }: Command<string, unknown>) {
    this.resume = resume
    this.update = update
    this.goto = goto
  }
}

function inputOf(input: unknown): unknown {
  return input instanceof Command ? new LangGraphCommand(input as Command<string, unknown>) : input
}

/** `[namespace, mode, chunk]` as a block of LangGraph's wire. */
function blockOf(chunk: unknown): [event: string, data: unknown] {
  if (!Array.isArray(chunk) || chunk.length !== 3) {
    throw new RivuletError('PROTOCOL_MISMATCH', 'the graph streamed what is not [namespace, mode, chunk]')
  }
  const [ns, mode, data] = chunk as unknown[]
  const path = Array.isArray(ns) ? ns.map(String) : []
  return [[String(mode), ...path].join('|'), plain(data)]
}

async function stateOf(graph: Callable, threadId: string, checkpointId?: string): Promise<GraphState | undefined> {
  const state = readState(await graph.getState(configOf(threadId, checkpointId)))
  // LangGraph answers an empty state for what is not there.
  return state.checkpointId === undefined || state.createdAt === undefined ? undefined : state
}

function readState({ values, next, tasks, metadata, createdAt, config, parentConfig }: Snapshot): GraphState {
  return readLangGraphState({
    values: plain(values),
    next,
    tasks: plain(tasks),
    metadata,
    created_at: createdAt,
    checkpoint: config?.configurable,
    parent_checkpoint: parentConfig?.configurable,
  })
}
