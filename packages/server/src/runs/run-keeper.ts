import { Command, Send } from '@rivulet/core'
import {
  emptyState,
  formatCursor,
  PROTOCOL_VERSION,
  randomId,
  recordRun,
  RivuletError,
  type EventLog,
  type GraphState,
  type RunEnd,
  type RunEvent,
  type RunOptions,
  type StreamableGraph,
  type ThreadState,
  type WireError,
} from '@rivulet/protocol'
import { publicError } from '../http/public-error.ts'
import type { LostRun, Run, Store, Thread } from '../threads/store.ts'
import type { Log } from '../telemetry/log-entry.ts'
import { Turns } from '../threads/turns.ts'
import { Flight, flightKey, Flights, type Job } from './flight.ts'
import { resultOf, statusAfter, type RunResult } from './run-result.ts'
import { fingerprintOf, type RunRequest } from './run-request.ts'
import { redacted } from './redact.ts'
import { supervised, type RunLimits } from './supervised.ts'
import { checkTakeBack, takenBack } from './taken-back.ts'

/** Bounds of what is under way. */
export interface KeeperLimits extends RunLimits {
  /** Runs that may wait on a thread. */
  queuedRuns: number
  /** Runs of a tenant under way or waiting. */
  tenantRuns: number
}

/** What a {@link RunKeeper} works with. */
export interface RunKeeperOptions {
  graphs: ReadonlyMap<string, StreamableGraph>
  store: Store
  limits: KeeperLimits
  /** Whether readers are told what nodes threw. */
  exposeErrors: boolean
  /** Milliseconds since the epoch. */
  now: () => number
  /** Told of failures that nobody waits for. */
  onError: (error: unknown) => void
  /** Told that a thread's log did not take the end of a run: whoever reads it would wait for that for ever. */
  onUntold: (memory: string, error: RivuletError) => void
  log: Log
}

/** A run that was asked for: started now, or joined because its id was known. */
export interface StartedRun {
  run: Run
  joined: boolean
  log: EventLog
  /** Resolves when the run has ended; never rejects. */
  result: Promise<RunResult>
}

/** How a run is stopped: what it said stays, or the thread goes back to where it stood before the run. */
export type CancelAction = 'interrupt' | 'rollback'

/** How a run stands after it was stopped. */
export interface CancelledRun {
  run: string
  status: Run['status']
  /** Cursor at which the run's end, and so what it said, is in the log. */
  cursor: string
}

/** A run that is over, and how. */
interface Landing {
  tenant: string
  thread: Thread
  run: Run
  end: RunEnd
}

/** Tries of one run, each in another process, that get nowhere: one that brings its process down every time is given up. */
const MAX_STALLS = 5

/** Starts runs and keeps them going, whoever watches; stops them when asked; goes on with what a process before left. */
export class RunKeeper {
  readonly #options: RunKeeperOptions
  readonly #flights = new Flights()
  /** What is decided of one thread is decided one after the other. */
  readonly #turns = new Turns()
  /** Runs that ended and whose end the store would not take, by thread. */
  readonly #unlanded = new Map<string, Landing>()
  #closed = false
  #handedOver = false

  constructor(options: RunKeeperOptions) {
    this.#options = options
  }

  /**
   * Starts a run on a thread, or joins the one that has its id. Throws `NOT_FOUND` for an unknown graph, `INVALID_INPUT`
   * for an input the graph cannot take, `LIMIT_EXCEEDED` when too much is under way, `RUN_CONFLICT` when the id was used
   * for something else, the thread is busy (`run` of that error is the run under way) or it waits for an answer.
   */
  async start(tenant: string, thread: Thread, request: RunRequest): Promise<StartedRun> {
    const { store } = this.#options
    const graph = this.graphNamed(request.graph)
    if (this.#closed) throw new RivuletError('DISCONNECTED', 'the server is closing', { retryable: true })
    const fingerprint = await fingerprintOf(request)
    const log = await store.openLog(tenant, thread.id)
    const known = request.run === undefined ? undefined : await store.getRun(tenant, thread.id, request.run)
    if (known !== undefined) return this.#join(tenant, thread.id, log, known, fingerprint)
    await this.#checkPlace(tenant, thread, graph, request)
    if (!isCommand(request)) await graph.checkInput?.(request.input, placeOf(thread, request))
    this.#checkRoom(tenant)
    const { multitask } = request
    if (multitask === 'rollback') checkTakeBack(graph)
    if (multitask === 'interrupt' || multitask === 'rollback') await this.#cancelQueued(tenant, thread.id)
    const job = { tenant, thread, graph, log, request }
    const started = await this.#turns.take(thread.memory, () => this.#startInTurn(job, fingerprint))
    if (started.inTheWay !== undefined && (multitask === 'interrupt' || multitask === 'rollback')) {
      await this.cancel(tenant, thread.id, started.inTheWay, multitask)
    }
    return started
  }

  async #startInTurn(job: Omit<Job, 'run'>, fingerprint: string): Promise<StartedRun & { inTheWay?: string }> {
    const { store, now, limits } = this.#options
    const { tenant, thread, graph, log, request } = job
    await this.#landLate(thread.memory, log)
    await this.#checkNotAsking(job)
    const state = await graph.getState?.(thread.memory)
    await this.#checkIsAsking(job, state)
    const base = state?.checkpointId
    const run: Run = {
      id: request.run ?? randomId(),
      graph: request.graph,
      status: request.multitask === 'reject' ? 'running' : 'queued',
      error: undefined,
      modes: request.modes,
      after: formatCursor(log.id, log.head()),
      fingerprint,
      createdAt: now(),
      request,
      attempt: 1,
      stalls: 0,
      base,
      from: base,
      ...(request.adapter !== undefined && { adapter: request.adapter }),
    }
    const outcome = await store.startRun(tenant, thread.id, run, limits.queuedRuns)
    switch (outcome.kind) {
      case 'created': {
        const flight = this.#board({ ...job, run: { ...run, status: 'running' } })
        this.#begin(flight)
        return { run: flight.job.run, joined: false, log, result: flight.result }
      }
      case 'queued': {
        const flight = this.#board({ ...job, run: { ...run, status: 'queued' } })
        return { run: flight.job.run, joined: false, log, result: flight.result, inTheWay: outcome.run.id }
      }
      case 'exists':
        return this.#join(tenant, thread.id, log, outcome.run, fingerprint)
      default:
        throw new RivuletError('RUN_CONFLICT', `thread ${thread.id} is busy with run ${outcome.run.id}`, {
          run: outcome.run.id,
        })
    }
  }

  /** Throws `RUN_CONFLICT` where a new input would silently give up a question that waits for its answer. */
  async #checkNotAsking({ tenant, thread, request }: Omit<Job, 'run'>): Promise<void> {
    const { input, resume, goto, checkpointId, onInterrupted } = request
    const saysWhatToDo = input === null || resume !== undefined || goto !== undefined || checkpointId !== undefined
    if (saysWhatToDo || onInterrupted === 'discard') return
    const now = await this.#options.store.getThread(tenant, thread.id)
    if (now?.status !== 'interrupted') return
    const how = 'answer it with resume, or give it up with onInterrupted: "discard"'
    throw new RivuletError('RUN_CONFLICT', `thread ${thread.id} waits for an answer: ${how}`)
  }

  /** Throws `RUN_CONFLICT` for an answer that comes again: nothing waits for it, in the graph nor for those who read. */
  async #checkIsAsking({ thread, log, request }: Omit<Job, 'run'>, state: GraphState | undefined): Promise<void> {
    const { resume, checkpointId } = request
    if (resume === undefined || checkpointId !== undefined || state === undefined) return
    const isBusy = this.#flights.ofThread(thread.memory).some(({ begun }) => begun)
    if (isBusy || (state.interrupts ?? []).length > 0 || (await log.snapshot()).interrupts.size > 0) return
    throw new RivuletError('RUN_CONFLICT', `thread ${thread.id} waits for no answer; perhaps it was answered before`)
  }

  #checkRoom(tenant: string): void {
    const { tenantRuns } = this.#options.limits
    if (this.#flights.countOf(tenant) < tenantRuns) return
    throw new RivuletError('LIMIT_EXCEEDED', `${tenantRuns} runs are under way already`, { retryable: true })
  }

  /**
   * Stops a run, also one that waits for its turn; resolves when its end is in the log. Throws `NOT_FOUND` when there is
   * no such run, `UNSUPPORTED` when its thread cannot be taken back.
   */
  async cancel(tenant: string, thread: string, id: string, action: CancelAction = 'interrupt'): Promise<CancelledRun> {
    const { store } = this.#options
    const known = await store.getRun(tenant, thread, id)
    if (known === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${JSON.stringify(id)} on this thread`)
    const memory = (await store.getThread(tenant, thread))?.memory ?? ''
    const flight = await this.#turns.take(memory, async () => this.#flights.get(flightKey(tenant, thread, id)))
    const log = await store.openLog(tenant, thread)
    if (flight === undefined) return { run: id, status: known.status, cursor: formatCursor(log.id, log.head()) }
    if (action === 'rollback') checkTakeBack(flight.job.graph)
    flight.rollback ||= action === 'rollback'
    flight.stop.abort(new RivuletError('CANCELLED', 'the run was cancelled', { run: id }))
    if (!flight.begun) await this.#giveUp(flight)
    const { status } = await flight.result
    return { run: id, status, cursor: formatCursor(log.id, log.head()) }
  }

  /** Stops all runs of a thread; resolves when they have ended. */
  async cancelAll(tenant: string, thread: string): Promise<void> {
    await this.#cancelQueued(tenant, thread)
    const active = await this.#options.store.activeRun(tenant, thread)
    if (active !== undefined) await this.cancel(tenant, thread, active.id)
  }

  /**
   * Does something to a thread that no run may see half done. Throws `RUN_CONFLICT` when one is under way; `run` of that
   * error is that run.
   */
  whileIdle<T>(tenant: string, thread: Thread, work: () => Promise<T>): Promise<T> {
    return this.#turns.take(thread.memory, async () => {
      const active = await this.#options.store.activeRun(tenant, thread.id)
      if (active === undefined) return work()
      throw new RivuletError('RUN_CONFLICT', `thread ${thread.id} is busy with run ${active.id}`, { run: active.id })
    })
  }

  async #cancelQueued(tenant: string, thread: string): Promise<void> {
    const runs = await this.#options.store.listRuns(tenant, thread, { limit: 1000, inFlight: true })
    for (const { id, status } of runs) if (status === 'queued') await this.cancel(tenant, thread, id)
  }

  /** Ends a run that waits: it is cancelled from now on, and its log says so when its turn would have come. */
  async #giveUp(flight: Flight): Promise<void> {
    const { store } = this.#options
    const { tenant, thread, run } = flight.job
    const end = { status: 'cancelled', error: undefined } as const
    await this.#turns.take(thread.memory, async () => {
      if (flight.begun) return
      const next = await store.endRun(tenant, thread.id, run.id, end)
      flight.settle(resultOf({ ...run, ...end }, await flight.job.log.snapshot()))
      if (next !== undefined) this.#beginNext(tenant, thread.id, next)
    })
  }

  /** Goes on with the runs that a process before this one left. Resolves when all of them are under way again. */
  async recover(): Promise<void> {
    for (const lost of await this.#options.store.lostRuns()) await this.#note(this.#resume(lost))
  }

  async #resume({ tenant, thread, run }: LostRun): Promise<void> {
    const { store, graphs } = this.#options
    const log = await store.openLog(tenant, thread.id)
    const state = await log.snapshot()
    const known = state.runs.get(run.id)
    await this.#boardQueued(tenant, thread, log)
    if (known !== undefined && known.status !== 'running') {
      const end: RunEnd = { type: 'run.end', run: run.id, status: known.status }
      return void (await this.#land({ tenant, thread, run, end }))
    }
    const graph = graphs.get(run.graph)
    const newest = (await graph?.getState?.(thread.memory))?.checkpointId
    const stalls = newest === run.from ? run.stalls + 1 : 0
    const { request } = run
    if (graph?.getState === undefined || request === undefined || stalls >= MAX_STALLS) {
      const why = stalls >= MAX_STALLS ? `${stalls} times in a row` : 'and the run cannot go on'
      const end = await this.#giveUpLost(log, run, known !== undefined, why)
      return void (await this.#land({ tenant, thread, run, end }))
    }
    const change = { attempt: run.attempt + 1, stalls, from: newest }
    await store.changeRun(tenant, thread.id, run.id, change)
    const wrote = newest !== run.base
    const { goto: _goto, ...left } = request
    const again: RunRequest = wrote ? { ...left, input: null, resume: undefined, checkpointId: undefined } : request
    this.#begin(this.#board({ tenant, thread, graph, log, run: { ...run, ...change }, request: again }))
  }

  /** Ends a run that cannot go on. */
  async #giveUpLost(log: EventLog, { id, graph }: Run, isKnown: boolean, why: string): Promise<RunEnd> {
    const error = new RivuletError('RUN_LOST', `the server stopped during the run, ${why}`, { run: id })
    const end: RunEnd = { type: 'run.end', run: id, status: 'error', error: error.toJSON() }
    const start: RunEvent = { type: 'run.start', run: id, graph, protocol: PROTOCOL_VERSION }
    await log.append(isKnown ? [end] : [start, end], { fence: await this.#options.store.nextFence() })
    return end
  }

  /** Takes up the runs that wait on a thread. */
  async #boardQueued(tenant: string, thread: Thread, log: EventLog): Promise<void> {
    const runs = await this.#options.store.listRuns(tenant, thread.id, { limit: 1000, inFlight: true })
    for (const run of runs.toReversed()) {
      const graph = this.#options.graphs.get(run.graph) ?? missing(run.graph)
      if (run.status !== 'queued' || run.request === undefined) continue
      this.#board({ tenant, thread, graph, log, run, request: run.request })
    }
  }

  /**
   * Starts nothing any more and waits up to `graceMs` for the runs under way. Those that are left then are handed over to
   * the process that opens the store next or, where the store forgets, stopped.
   */
  async close(graceMs: number): Promise<void> {
    this.#closed = true
    await within(Promise.all(this.#flights.all().map(({ result }) => result)), graceMs)
    if (this.#options.store.handOver !== undefined) {
      this.#handedOver = true
      await this.#note(this.#options.store.handOver())
    }
    const left = this.#flights.all()
    for (const { stop } of left) stop.abort(new RivuletError('CANCELLED', 'the server closes'))
    if (this.#handedOver) {
      for (const flight of left) if (!flight.begun) this.#settleAsLeft(flight)
    }
    await Promise.all(left.map(({ result }) => result))
    await this.#note(this.#options.store.close?.() ?? Promise.resolve())
  }

  /** The graph of this name. Throws `NOT_FOUND`, naming those there are. */
  graphNamed(name: string): StreamableGraph {
    const graph = this.#options.graphs.get(name)
    if (graph !== undefined) return graph
    const known = [...this.#options.graphs.keys()].join(', ')
    throw new RivuletError('NOT_FOUND', `there is no graph ${JSON.stringify(name)}; there are: ${known}`)
  }

  /** Throws `NOT_FOUND` for a checkpoint that is not there; while a run is under way, one may be about to be. */
  async #checkPlace(
    tenant: string,
    thread: Thread,
    graph: StreamableGraph,
    { checkpointId }: RunRequest,
  ): Promise<void> {
    if (checkpointId === undefined || graph.getState === undefined) return
    if ((await graph.getState(thread.memory, { checkpointId })) !== undefined) return
    if ((await this.#options.store.activeRun(tenant, thread.id)) !== undefined) return
    throw new RivuletError('NOT_FOUND', `there is no checkpoint ${JSON.stringify(checkpointId)} on this thread`)
  }

  #join(tenant: string, thread: string, log: EventLog, run: Run, fingerprint: string): StartedRun {
    if (run.fingerprint !== fingerprint) {
      throw new RivuletError('RUN_CONFLICT', `run ${run.id} was asked to do something else`, { run: run.id })
    }
    const flight = this.#flights.get(flightKey(tenant, thread, run.id))
    const result = flight?.result ?? log.snapshot().then((state) => resultOf(run, state))
    return { run, joined: true, log, result }
  }

  #board(job: Job): Flight {
    const flight = new Flight(job)
    this.#flights.add(flight)
    return flight
  }

  #begin(flight: Flight): void {
    flight.begun = true
    // It was on its way when the server began to close.
    if (this.#closed) flight.stop.abort(new RivuletError('CANCELLED', 'the server closes'))
    void this.#fly(flight)
  }

  /** Begins the run that waited longest, which the store has as running. */
  #beginNext(tenant: string, thread: string, run: Run): void {
    const flight = this.#flights.get(flightKey(tenant, thread, run.id))
    if (flight === undefined) return
    flight.job.run = run
    this.#begin(flight)
  }

  /** Carries a run out. Never rejects. */
  async #fly(flight: Flight): Promise<void> {
    const { tenant, thread, log, run } = flight.job
    const { now } = this.#options
    const at = now()
    const named = { tenant, thread: thread.id, run: run.id, graph: run.graph }
    this.#options.log({ type: 'run.start', at, ...named, attempt: run.attempt })
    await this.#takeOff(flight)
    const end = await this.#record(flight)
    const why = end.error && { code: end.error.code, ...(end.error.node !== undefined && { node: end.error.node }) }
    this.#options.log({ type: 'run.end', at: now(), ...named, status: end.status, ms: now() - at, ...why })
    const ended = { id: run.id, status: end.status, error: end.error }
    // Before the thread is free again: the next run changes what this one ended with.
    const state = await this.#note(log.snapshot())
    if (this.#handedOver) return this.#settleAsLeft(flight, state)
    if (isUnended(state, run.id)) this.#options.onUntold(thread.memory, whyUntold(end))
    const landing = { tenant, thread, run, end }
    if ((await this.#note(this.#land(landing))) === undefined) this.#unlanded.set(thread.memory, landing)
    this.#flights.delete(flight)
    flight.settle(resultOf(ended, state ?? emptyState()))
  }

  #settleAsLeft(flight: Flight, state: ThreadState = emptyState()): void {
    this.#flights.delete(flight)
    flight.settle(resultOf(flight.job.run, state))
  }

  async #takeOff({ job }: Flight): Promise<void> {
    const { store, now } = this.#options
    const { tenant, thread, graph, run } = job
    // A run that waited begins from where those before it left the thread.
    if (run.request?.multitask !== 'reject' && run.attempt === 1 && graph.getState !== undefined) {
      const base = (await this.#note(graph.getState(thread.memory)))?.checkpointId
      job.run = { ...run, base, from: base }
      await this.#note(store.changeRun(tenant, thread.id, run.id, { base, from: base }))
    }
    const change = { status: 'busy', graph: run.graph, updatedAt: now() } as const
    await this.#note(store.changeThread(tenant, thread.id, change))
  }

  async #record(flight: Flight): Promise<RunEnd> {
    const { thread, graph, log, run, request } = flight.job
    const onCancelled = (end: RunEnd): AsyncIterable<RunEvent> | RunEvent[] =>
      flight.rollback ? takenBack({ graph, memory: thread.memory, log, base: flight.job.run.base }, end) : [end]
    const fence = await this.#note(this.#options.store.nextFence())
    const { limits, exposeErrors, onError } = this.#options
    const shown = (event: RunEvent): RunEvent => (exposeErrors ? event : redacted(event, onError))
    const exceeded = new AbortController()
    const watched = supervised(graph, { limits, exceeded, shown, onCancelled })
    return recordRun(log, watched, inputOf(request), {
      ...optionsOf(request),
      ...(fence !== undefined && { fence }),
      ...(run.attempt > 1 && { attempt: run.attempt }),
      runId: run.id,
      graph: run.graph,
      threadId: thread.memory,
      signal: AbortSignal.any([flight.stop.signal, exceeded.signal]),
      describe: (error) => this.#describe(error),
    })
  }

  /** Notes how a run ended, and begins the one that waits. */
  async #land(landing: Landing): Promise<true> {
    await this.#turns.take(landing.thread.memory, () => this.#landInTurn(landing))
    return true
  }

  async #landInTurn({ tenant, thread, run, end: { status, error } }: Landing): Promise<void> {
    const { store, now } = this.#options
    const change = { status: statusAfter[status], graph: run.graph, updatedAt: now() }
    const next = await store.endRun(tenant, thread.id, run.id, { status, error, thread: change })
    await this.#tellGivenUp(thread)
    if (next !== undefined) this.#beginNext(tenant, thread.id, next)
  }

  /** Notes the end of a run that the store would not take then, such as on a full disk. Throws when it still does not. */
  async #landLate(memory: string, log: EventLog): Promise<void> {
    const landing = this.#unlanded.get(memory)
    if (landing === undefined) return
    const { run, end } = landing
    const known = (await log.snapshot()).runs.get(run.id)
    const start: RunEvent = { type: 'run.start', run: run.id, graph: run.graph, protocol: PROTOCOL_VERSION }
    if (known === undefined) await log.append([start, end])
    else if (known.status === 'running') await log.append([end])
    await this.#landInTurn(landing)
    this.#unlanded.delete(memory)
  }

  /** Writes start and end of the runs that were cancelled while they waited, for those who read until their end. */
  async #tellGivenUp({ memory }: Thread): Promise<void> {
    for (const flight of this.#flights.ofThread(memory)) {
      if (flight.begun || !flight.stop.signal.aborted) continue
      this.#flights.delete(flight)
      const { log, run } = flight.job
      await log.append([
        { type: 'run.start', run: run.id, graph: run.graph, protocol: PROTOCOL_VERSION },
        { type: 'run.end', run: run.id, status: 'cancelled' },
      ])
    }
  }

  #describe(error: unknown): WireError {
    const told = publicError(error)
    if (told.code === 'INTERNAL') this.#options.onError(error)
    return told.toJSON()
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

/** Whether the log has not taken the run's end. */
function isUnended(state: ThreadState | undefined, run: string): boolean {
  const status = state?.runs.get(run)?.status
  return status === undefined || status === 'running'
}

/** What readers are told of a run whose end is not in the log. */
function whyUntold({ run, error }: RunEnd): RivuletError {
  // Whoever took the thread over tells the rest.
  if (error?.code === 'RUN_CONFLICT') {
    return new RivuletError('DISCONNECTED', 'another server has the thread now', { retryable: true, run })
  }
  const code = error?.code === 'LIMIT_EXCEEDED' ? error.code : 'INTERNAL'
  const why = error?.code === 'LIMIT_EXCEEDED' ? `: ${error.message}` : ''
  return new RivuletError(code, `the log does not take the events of the run${why}`, { run })
}

/** In place of a graph that is not served any more. */
function missing(name: string): StreamableGraph {
  return {
    events: () => {
      throw new RivuletError('NOT_FOUND', `graph ${JSON.stringify(name)} is not served any more`)
    },
  }
}

/** Waits for `work`, but no longer than `ms` milliseconds. */
async function within(work: Promise<unknown>, ms: number): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined
  await Promise.race([work, new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))])
  clearTimeout(timer)
}

/** Whether a run is more than an input: an answer, or a jump. */
function isCommand({ resume, goto }: RunRequest): boolean {
  return resume !== undefined || goto !== undefined
}

/** What the graph gets: an answer to its interrupts is a command, with the input as an update beside it. */
function inputOf(request: RunRequest): unknown {
  if (!isCommand(request)) return request.input
  const { input, resume, goto = [] } = request
  return new Command({
    ...(resume !== undefined && { resume }),
    ...(goto.length > 0 && { goto: goto.map((to) => (typeof to === 'string' ? to : new Send(to.node, to.input))) }),
    // Whoever reads a request takes only an object beside an answer or a jump.
    ...(input !== null && { update: input as object }),
  })
}

/** What compiled graphs take beyond what every graph does. */
type Breakpoints = Pick<RunRequest, 'interruptBefore' | 'interruptAfter'>

/** Where the input is to be applied. */
function placeOf({ memory: threadId }: Thread, { checkpointId }: RunRequest): RunOptions {
  return checkpointId === undefined ? { threadId } : { threadId, checkpointId }
}

function optionsOf(request: RunRequest): RunOptions & Breakpoints {
  const { modes, checkpointId, metadata, tags, context, recursionLimit, interruptBefore, interruptAfter } = request
  return {
    modes,
    ...(interruptBefore !== undefined && { interruptBefore }),
    ...(interruptAfter !== undefined && { interruptAfter }),
    ...(checkpointId !== undefined && { checkpointId }),
    ...(metadata !== undefined && { metadata }),
    ...(tags !== undefined && { tags }),
    ...(context !== undefined && { context }),
    ...(recursionLimit !== undefined && { recursionLimit }),
  }
}
