import { Command } from '@rivulet/core'
import {
  emptyState,
  formatCursor,
  interruptsOf,
  randomId,
  recordRun,
  RivuletError,
  valuesOf,
  type EventLog,
  type RunEnd,
  type RunOptions,
  type StreamableGraph,
  type ThreadState,
  type WireError,
} from '@rivulet/protocol'
import { publicError } from '../http/public-error.ts'
import type { Run, Store, Thread, ThreadChange, ThreadStatus } from '../threads/store.ts'
import { fingerprintOf, type RunRequest } from './run-request.ts'

/** What a {@link RunKeeper} works with. */
export interface RunKeeperOptions {
  graphs: ReadonlyMap<string, StreamableGraph>
  store: Store
  /** Milliseconds since the epoch. */
  now: () => number
  /** Told of failures that nobody waits for. */
  onError: (error: unknown) => void
}

/** How a run ended, as `?wait=1` answers. */
export interface RunResult {
  run: string
  status: Run['status']
  values: Readonly<Record<string, unknown>>
  interrupts: readonly { id: string; value: unknown }[]
  error?: WireError
}

/** A run that was asked for: started now, or joined because its id was known. */
export interface StartedRun {
  run: Run
  joined: boolean
  log: EventLog
  /** Resolves when the run has ended; never rejects. */
  result: Promise<RunResult>
}

interface ActiveRun {
  stop: AbortController
  result: Promise<RunResult>
}

/** How the end of its last run leaves a thread. */
const STATUS_AFTER: Readonly<Record<RunEnd['status'], ThreadStatus>> = {
  done: 'idle',
  cancelled: 'idle',
  interrupted: 'interrupted',
  error: 'error',
}

/** Starts runs and keeps them going, whoever watches; stops them when asked. */
export class RunKeeper {
  readonly #options: RunKeeperOptions
  readonly #active = new Map<string, ActiveRun>()
  #closed = false

  constructor(options: RunKeeperOptions) {
    this.#options = options
  }

  /**
   * Starts a run on a thread, or joins the one that has its id. Throws `NOT_FOUND` for an unknown graph and
   * `INVALID_INPUT` for an input the graph cannot take, `RUN_CONFLICT` when the id was used for something else or the thread is busy; `run` of that error is the run under
   * way.
   */
  async start(tenant: string, thread: Thread, request: RunRequest): Promise<StartedRun> {
    const { store, now } = this.#options
    const graph = this.graphNamed(request.graph)
    if (this.#closed) throw new RivuletError('DISCONNECTED', 'the server is closing', { retryable: true })
    if (request.resume === undefined) await graph.checkInput?.(request.input, placeOf(thread, request))
    const fingerprint = await fingerprintOf(request)
    const log = await store.openLog(tenant, thread.id)
    const run: Run = {
      id: request.run ?? randomId(),
      graph: request.graph,
      status: 'running',
      error: undefined,
      modes: request.modes,
      after: formatCursor(log.id, log.head()),
      fingerprint,
      createdAt: now(),
    }
    // From here to the entry in `#active` nothing else is waited for: a cancel in between would not find the run.
    const outcome = await store.startRun(tenant, thread.id, run)
    switch (outcome.kind) {
      case 'created':
        return { run, joined: false, log, result: this.#keep({ tenant, thread, graph, log, run, request }) }
      case 'exists':
        return this.#join(tenant, thread.id, log, outcome.run, run.fingerprint)
      default:
        throw new RivuletError('RUN_CONFLICT', `thread ${thread.id} is busy with run ${outcome.run.id}`, {
          run: outcome.run.id,
        })
    }
  }

  /** Stops a run; resolves when its end is in the log. Throws `NOT_FOUND` when there is no such run. */
  async cancel(
    tenant: string,
    thread: string,
    id: string,
  ): Promise<{ run: string; status: Run['status']; cursor: string }> {
    const { store } = this.#options
    const known = await store.getRun(tenant, thread, id)
    if (known === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${JSON.stringify(id)} on this thread`)
    const active = this.#active.get(keyOf(tenant, thread, id))
    active?.stop.abort(new RivuletError('CANCELLED', 'the run was cancelled', { run: id }))
    const status = active === undefined ? known.status : (await active.result).status
    const log = await store.openLog(tenant, thread)
    return { run: id, status, cursor: formatCursor(log.id, log.head()) }
  }

  /**
   * Starts nothing any more, waits up to `graceMs` for the runs under way, then stops those that are left and waits for
   * their ends.
   */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    const runs = [...this.#active.values()]
    if (runs.length === 0) return
    let timer: ReturnType<typeof setTimeout> | undefined
    const patience = new Promise<void>((resolve) => (timer = setTimeout(resolve, graceMs)))
    await Promise.race([Promise.all(runs.map(({ result }) => result)), patience])
    clearTimeout(timer)
    for (const { stop } of runs) stop.abort(new RivuletError('CANCELLED', 'the server closes'))
    await Promise.all(runs.map(({ result }) => result))
  }

  /** The graph of this name. Throws `NOT_FOUND`, naming those there are. */
  graphNamed(name: string): StreamableGraph {
    const graph = this.#options.graphs.get(name)
    if (graph !== undefined) return graph
    const known = [...this.#options.graphs.keys()].join(', ')
    throw new RivuletError('NOT_FOUND', `there is no graph ${JSON.stringify(name)}; there are: ${known}`)
  }

  async #join(tenant: string, thread: string, log: EventLog, run: Run, fingerprint: string): Promise<StartedRun> {
    if (run.fingerprint !== fingerprint) {
      throw new RivuletError('RUN_CONFLICT', `run ${run.id} was asked to do something else`, { run: run.id })
    }
    const active = this.#active.get(keyOf(tenant, thread, run.id))
    const result = active?.result ?? log.snapshot().then((state) => resultOf(run, state))
    return { run, joined: true, log, result }
  }

  #keep(job: Job): Promise<RunResult> {
    const stop = new AbortController()
    // It was on its way when the server began to close.
    if (this.#closed) stop.abort(new RivuletError('CANCELLED', 'the server closes'))
    const key = keyOf(job.tenant, job.thread.id, job.run.id)
    const result = this.#carryOut(job, stop.signal).finally(() => this.#active.delete(key))
    this.#active.set(key, { stop, result })
    return result
  }

  async #carryOut(job: Job, signal: AbortSignal): Promise<RunResult> {
    const { store } = this.#options
    const { tenant, thread, graph, log, run, request } = job
    await this.#note(store.changeThread(tenant, thread.id, this.#change('busy', run.graph)))
    const end = await recordRun(log, graph, inputOf(request), {
      ...optionsOf(request),
      runId: run.id,
      graph: run.graph,
      threadId: thread.memory,
      signal,
      describe: (error) => this.#describe(error),
    })
    const ended: Run = { ...run, status: end.status, error: end.error }
    // Before the thread is free again: the next run changes what this one ended with.
    const state = await this.#note(log.snapshot())
    await this.#note(store.endRun(tenant, thread.id, run.id, { status: end.status, error: end.error }))
    await this.#note(store.changeThread(tenant, thread.id, this.#change(STATUS_AFTER[end.status], run.graph)))
    return resultOf(ended, state ?? emptyState())
  }

  #change(status: ThreadStatus, graph: string): ThreadChange {
    return { status, graph, updatedAt: this.#options.now() }
  }

  #describe(error: unknown): WireError {
    this.#options.onError(error)
    return publicError(error).toJSON()
  }

  /** Awaits what must not fail the run; `undefined` when it did fail. */
  async #note<T>(work: Promise<T>): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      this.#options.onError(error)
      return undefined
    }
  }
}

/** All that belongs to one run. */
interface Job {
  tenant: string
  thread: Thread
  graph: StreamableGraph
  log: EventLog
  run: Run
  request: RunRequest
}

/** Cannot be forged by an id that contains a separator. */
function keyOf(tenant: string, thread: string, run: string): string {
  return JSON.stringify([tenant, thread, run])
}

/** What the graph gets: an answer to its interrupts is a command, with the input as an update beside it. */
function inputOf({ input, resume }: RunRequest): unknown {
  if (resume === undefined) return input
  // `readRunRequest` took only an object beside an answer.
  return new Command(input === null ? { resume } : { resume, update: input as object })
}

/** Where the input is to be applied. */
function placeOf({ memory: threadId }: Thread, { checkpointId }: RunRequest): RunOptions {
  return checkpointId === undefined ? { threadId } : { threadId, checkpointId }
}

function optionsOf({ modes, checkpointId, metadata, tags, context, recursionLimit }: RunRequest): RunOptions {
  return {
    modes,
    ...(checkpointId !== undefined && { checkpointId }),
    ...(metadata !== undefined && { metadata }),
    ...(tags !== undefined && { tags }),
    ...(context !== undefined && { context }),
    ...(recursionLimit !== undefined && { recursionLimit }),
  }
}

function resultOf({ id, status, error }: Run, state: ThreadState): RunResult {
  return {
    run: id,
    status,
    values: valuesOf(state),
    interrupts: interruptsOf(state).map((one) => ({ id: one.id, value: one.value })),
    ...(error !== undefined && { error }),
  }
}
