import {
  memoryLog,
  randomId,
  readLog,
  RivuletError,
  type EventLog,
  type Frame,
  type GraphState,
  type RunEnd,
  type StreamableGraph,
} from '@rivulet/protocol'
import { busy, createProcessRuns, showState, type ProcessRuns } from './process-runs.ts'
import type { ThreadInfo, ThreadPage, ThreadsApi, Transport } from './transport.ts'

/** How an in-process backend keeps its threads. */
export interface InProcessOptions {
  /** Makes the log of a new thread. Default: one in memory with its default bounds. */
  log?: (() => EventLog) | undefined
  /** Milliseconds since the epoch, for the times of threads. Default `Date.now`. */
  now?: (() => number) | undefined
}

/**
 * A backend without a server: runs graphs in this very process and keeps the logs of their threads in memory.
 * Everything else is as over a wire: several readers, coming back, cancelling, one run at a time on a thread with
 * the four strategies for one more. Give one graph, which then serves every name, or several by name. A graph's own memory keeps what a
 * thread's next run goes on from.
 */
export function inProcess(
  graphs: StreamableGraph | Readonly<Record<string, StreamableGraph>>,
  options: InProcessOptions = {},
): Transport {
  const find = graphFinder(graphs)
  const threads = new Threads(options, (thread) => find(thread.graph).deleteThread?.(thread.id))
  const graphOf = (id: string) => find(threads.get(id).graph)
  return {
    // Nothing lies in between that could stall.
    heartbeatMs: Infinity,
    async *open({ thread: id, start, until, filter }, { signal, after }) {
      const thread = threads.get(id)
      if (start !== undefined) thread.runs.take(find(start.graph), start)
      for await (const frame of readLog(thread.log, { ...filter, after, until: start?.run ?? until }, signal)) {
        // Whoever learns that a run has ended finds the thread free for the next.
        for (const run of endedIn(frame)) await thread.runs.left(run)
        yield frame
      }
    },
    cancel: async (id, run) => threads.get(id).runs.cancel(run),
    state: async (id, { signal: _signal, ...at } = {}) => graphOf(id).getState?.(id, given(at)),
    history: (id, { limit = 10, before, ns } = {}) =>
      firstOf(graphOf(id).getStateHistory?.(id, given({ limit, before, ns })), limit),
    async update(id, update, { signal: _signal, ...place } = {}) {
      const thread = threads.get(id)
      refuseWhileBusy(thread)
      const graph = find(thread.graph)
      if (graph.updateState === undefined) throw unsupported(thread)
      const written = await graph.updateState(id, update, given(place))
      // A page shows the root, whose newest checkpoint stays the one it is when a graph below changes.
      const state = await graph.getState?.(id, (place.ns ?? []).length > 0 ? {} : { checkpointId: written })
      await showWritten(thread, state)
      threads.touch(thread, (state?.interrupts ?? []).length > 0 ? 'interrupted' : 'idle')
      return { checkpointId: written }
    },
    threads: {
      ...threads.api,
      async fork(id, { id: forkId = randomId(), checkpointId, metadata } = {}) {
        const from = threads.get(id)
        const graph = find(from.graph)
        const state = await graph.getState?.(id, given({ checkpointId }))
        if (state === undefined) throw new RivuletError('NOT_FOUND', `thread ${id} has no such state`)
        if (graph.updateState === undefined) throw unsupported(from)
        const forked = await threads.api.create({
          id: forkId,
          ...(from.graph !== undefined && { graph: from.graph }),
          ...(metadata !== undefined && { metadata }),
        })
        const written = await graph.updateState(forkId, state.values)
        await showWritten(threads.get(forkId), await graph.getState?.(forkId, { checkpointId: written }))
        return forked
      },
    },
  }
}

/** Finds a graph by name, each given a memory of its threads once. */
function graphFinder(
  graphs: StreamableGraph | Readonly<Record<string, StreamableGraph>>,
): (name: string | undefined) => StreamableGraph {
  const remembering = (graph: StreamableGraph) => graph.withMemory?.() ?? graph
  if (isGraph(graphs)) {
    const only = remembering(graphs)
    return () => only
  }
  const byName = new Map(Object.entries(graphs).map(([name, graph]) => [name, remembering(graph)]))
  return (name) => {
    const graph = name === undefined ? [...byName.values()][0] : byName.get(name)
    if (graph !== undefined) return graph
    throw new RivuletError('NOT_FOUND', `there is no graph ${name}; there are ${[...byName.keys()].join(', ')}`)
  }
}

function isGraph(graphs: StreamableGraph | Readonly<Record<string, StreamableGraph>>): graphs is StreamableGraph {
  return typeof graphs['events'] === 'function'
}

interface Thread extends ThreadInfo {
  readonly log: EventLog
  readonly runs: ProcessRuns
  /** Made on purpose or run on; what was only looked at is not listed. */
  isListed: boolean
}

class Threads {
  readonly api: ThreadsApi
  readonly #threads = new Map<string, Thread>()
  readonly #makeLog: () => EventLog
  readonly #now: () => number

  constructor({ log = memoryLog, now = Date.now }: InProcessOptions, forget: (thread: Thread) => unknown) {
    this.#makeLog = () => log()
    this.#now = now
    this.api = {
      list: async ({ limit = 20, cursor } = {}) => this.#page(limit, Number(cursor ?? 0)),
      create: async ({ id = randomId(), graph, metadata }) => {
        const thread = this.get(id)
        Object.assign(thread, graph !== undefined && { graph }, metadata !== undefined && { metadata })
        this.touch(thread, thread.status)
        return infoOf(thread)
      },
      get: async (id) => infoOf(this.#known(id)),
      delete: async (id) => {
        const thread = this.#known(id)
        this.#threads.delete(id)
        await thread.runs.close()
        await forget(thread)
      },
    }
  }

  /** The thread with this id; made when it is new. */
  get(id: string): Thread {
    const known = this.#threads.get(id)
    if (known !== undefined) return known
    const at = this.#now()
    const log = this.#makeLog()
    const runs = createProcessRuns({
      id,
      log,
      isAsking: () => thread.status === 'interrupted',
      began: (graph) => {
        thread.graph = graph
        this.touch(thread, 'busy')
      },
      ended: (end) => this.touch(thread, statusAfter(end)),
    })
    const thread: Thread = { id, log, runs, status: 'idle', createdAt: at, updatedAt: at, isListed: false }
    this.#threads.set(id, thread)
    return thread
  }

  touch(thread: Thread, status: ThreadInfo['status']): void {
    thread.status = status
    thread.updatedAt = this.#now()
    thread.isListed = true
  }

  #known(id: string): Thread {
    const thread = this.#threads.get(id)
    if (thread?.isListed) return thread
    throw new RivuletError('NOT_FOUND', `there is no thread ${id}`)
  }

  #page(limit: number, from: number): ThreadPage {
    const listed = [...this.#threads.values()].filter((thread) => thread.isListed)
    const sorted = listed.sort((a, b) => b.updatedAt - a.updatedAt)
    const next = from + limit
    const threads = sorted.slice(from, next).map(infoOf)
    return next < sorted.length ? { threads, cursor: String(next) } : { threads }
  }
}

function infoOf({ id, graph, status, createdAt, updatedAt, metadata }: Thread): ThreadInfo {
  const named = { ...(graph !== undefined && { graph }), ...(metadata !== undefined && { metadata }) }
  return { id, status, createdAt, updatedAt, ...named }
}

async function showWritten({ log }: Thread, state: GraphState | undefined): Promise<void> {
  if (state !== undefined) await showState(log, state)
}

/** Runs whose end is in a frame. */
function endedIn(frame: Frame): string[] {
  return frame.type === 'events' ? frame.events.flatMap((one) => (one.type === 'run.end' ? [one.run] : [])) : []
}

function unsupported({ graph = 'the graph' }: Thread): RivuletError {
  return new RivuletError('UNSUPPORTED', `${graph} keeps no state that could be updated`)
}

function refuseWhileBusy({ id, runs: { busyWith } }: Thread): void {
  if (busyWith !== undefined) throw busy(id, busyWith)
}

function statusAfter({ status }: RunEnd): ThreadInfo['status'] {
  return status === 'interrupted' || status === 'error' ? status : 'idle'
}

/** Options without those that were left out, as graphs take them. */
function given<T extends object>(options: T): Given<T> {
  // The same fields with the same values, but for those that are `undefined`.
  return Object.fromEntries(Object.entries(options).filter(([, one]) => one !== undefined)) as Given<T>
}

type Given<T> = { [K in keyof T]?: Exclude<T[K], undefined> }

async function firstOf<T>(items: AsyncIterable<T> | undefined, limit: number): Promise<readonly T[]> {
  const first: T[] = []
  if (items === undefined || limit < 1) return first
  for await (const item of items) if (first.push(item) >= limit) break
  return first
}
