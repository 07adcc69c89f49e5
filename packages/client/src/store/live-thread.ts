import {
  currentRun,
  emptyState,
  errorFromWire,
  RivuletError,
  toRivuletError,
  type ErrorCode,
  type Frame,
  type Message,
  type RivuletEvent,
  type Run,
  type RunStatus,
} from '@rivulet/protocol'
import type { Closed } from '../connection/connection.ts'
import { idleHealth } from '../connection/health.ts'
import type { Received } from '../connection/keep-open.ts'
import { isPlainInput, type OpenRequest, type StartRequest } from '../transports/transport.ts'
import { createConnector, type Connector, type Line } from './connector.ts'
import { cursorOf, isUnread, type ThreadFacts } from './facts.ts'
import { prepareInput } from './input.ts'
import { assumeEnd, takeIn, type Intake } from './intake.ts'
import { isolate } from './isolate.ts'
import { createObservers, type Observers, type ThreadView } from './observers.ts'
import { markFailed, send, withdraw } from './outbox.ts'
import type { Plan, Standing, Wanted } from './plan.ts'
import { watchRun, type RunHandle, type RunResult, type Watch } from './run-handle.ts'
import type { ThreadSnapshot } from './snapshot.ts'
import type { SubmitOptions, ThreadOptions, ThreadStore } from './thread-store.ts'

/** What a store stands on. */
export interface StoreEnvironment extends Line {
  makeId: () => string
  makeThreadId: () => string
  /** Told of every run that is seen to begin or to end. */
  onRun: (threadId: string, run: Run) => void
}

/** A store for one thread. It opens nothing until a run is submitted or somebody follows. */
export function createThreadStore(environment: StoreEnvironment, options: ThreadOptions): ThreadStore {
  return new LiveThread(environment, options)
}

/** Runs that may wait for their start at once; one more fails with `LIMIT_EXCEEDED`. */
const MAX_STARTS = 32

/** What may be due to streams alone, so that a call without one may still get through. */
const STREAM_FAILURES: readonly ErrorCode[] = ['DISCONNECTED', 'PROTOCOL_MISMATCH']

class LiveThread implements ThreadStore {
  readonly #env: StoreEnvironment
  readonly #options: ThreadOptions
  readonly #observers: Observers
  readonly #connector: Connector
  readonly #life = new AbortController()
  readonly #watches = new Map<string, Watch>()
  readonly #listeners = new Set<(event: RivuletEvent) => void>()
  #facts: ThreadFacts
  #last: { start: StartRequest; shown: readonly Message[] } | undefined
  /** Runs whose start was answered and that wait for their turn: the next one may be started behind them. */
  readonly #taken = new Set<string>()
  #followers = 0
  #gaveUp = false
  #cancelWake: (() => void) | undefined
  /** Run that is waited for without a stream: the last one that was. */
  #waited: { run: string; isOver: boolean } | undefined

  readonly getSnapshot: () => ThreadSnapshot
  readonly subscribe: ThreadView['subscribe']
  readonly select: ThreadView['select']

  constructor(environment: StoreEnvironment, options: ThreadOptions) {
    this.#env = environment
    this.#options = options
    this.#facts = {
      threadId: options.threadId,
      state: emptyState(),
      outbox: [],
      starts: [],
      failure: undefined,
      connection: idleHealth,
      messagesKey: options.messagesKey ?? 'messages',
      initialValues: options.initialValues,
    }
    this.#observers = createObservers(this.#facts)
    this.getSnapshot = this.#observers.getSnapshot
    this.subscribe = this.#observers.subscribe
    this.select = this.#observers.select
    this.#connector = createConnector(environment, {
      plan: () => this.#plan(),
      request: (wanted, begun) => this.#request(wanted, begun),
      after: () => cursorOf(this.#facts.state),
      receive: (frame, current) => this.#receive(frame, current),
      report: (connection) => this.#update({ connection }),
      closed: (standing, closed) => this.#closed(standing, closed),
    })
  }

  get facts(): ThreadFacts {
    return this.#facts
  }

  get id(): string | undefined {
    return this.#facts.threadId
  }

  submit = (input?: unknown, { signal, run = this.#env.makeId(), ...rest }: SubmitOptions = {}): RunHandle => {
    const { graph, modes } = this.#options
    const prepared = prepareInput(input, this.#facts.messagesKey, this.#env.makeId)
    const start = { modes, ...rest, run, graph, input: prepared.input }
    const isKnown = this.#isStarting(run) || this.#facts.state.runs.has(run)
    const handle = isKnown ? this.#join(run) : this.#start(start, prepared.shown)
    if (signal !== undefined) stopOnAbort(handle, signal)
    return handle
  }

  stop = async (run: string | undefined = this.#underWay()): Promise<void> => {
    if (run !== undefined) await this.#stop(run)
  }

  retry = (): RunHandle | undefined => {
    const { state } = this.#facts
    const last = this.#last
    if (last !== undefined && !state.runs.has(last.start.run)) {
      return this.#isStarting(last.start.run) ? this.#watch(last.start.run).handle : this.#start(last.start, last.shown)
    }
    const run = currentRun(state)
    if (this.#gaveUp) this.#reopen()
    else if (run?.status === 'error') {
      // With a checkpoint the thread has the input already, and goes on where it failed.
      if (run.checkpoint !== undefined || last?.start.run !== run.id) return this.submit()
      return this.#start({ ...last.start, run: this.#env.makeId() }, last.shown)
    }
    return undefined
  }

  follow = (): (() => void) => {
    this.#followers++
    this.#connector.schedule()
    let isFollowing = true
    return () => {
      if (!isFollowing) return
      isFollowing = false
      this.#followers--
      // Not at once: a component that is mounted twice in a row leaves and comes back in the same turn.
      queueMicrotask(() => {
        if (this.#followers === 0) this.#leave('nobody follows the thread any more; the run goes on')
      })
    }
  }

  listen = (fn: (event: RivuletEvent) => void): (() => void) => {
    const listener = (event: RivuletEvent) => fn(event)
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  dispose = (): void => {
    this.#life.abort()
    this.#followers = 0
    this.#sleep()
    this.#leave('the thread was closed; the run goes on')
    this.#connector.drop()
    this.#update({ starts: [], connection: idleHealth })
  }

  #update(change: Partial<ThreadFacts>): void {
    this.#facts = { ...this.#facts, ...change }
    this.#observers.set(this.#facts)
  }

  #plan(): Plan {
    const { threadId, state, starts } = this.#facts
    const taken = this.#taken
    const isAwaited = (run: string) => taken.has(run) || state.runs.get(run)?.status === 'running'
    const next = starts.filter(({ run }) => !taken.has(run))
    const isHeld = this.#life.signal.aborted || this.#waited?.isOver === false
    return {
      threadId: isHeld ? undefined : threadId,
      // Only a run that is meant to wait is sent while another one has not begun yet.
      starts: taken.size === 0 || next[0]?.multitask === 'enqueue' ? next : [],
      followers: this.#followers,
      watched: [...this.#watches.keys()].filter(isAwaited),
      gaveUp: this.#gaveUp,
    }
  }

  #request(wanted: Wanted, begun: boolean): OpenRequest {
    // The plan wants no connection before the thread has its id.
    const common = { thread: this.#facts.threadId!, filter: this.#options.filter }
    if (wanted.kind === 'read') return { ...common, until: wanted.until }
    return begun ? { ...common, until: wanted.start.run } : { ...common, start: wanted.start }
  }

  // Runs: started, watched, finished.

  #start(start: StartRequest, shown: readonly Message[]): RunHandle {
    const { handle } = this.#watch(start.run)
    const refusal = this.#refusal(start)
    if (refusal !== undefined) {
      this.#fail(start.run, refusal)
      return handle
    }
    this.#last = { start, shown }
    this.#sleep()
    const { threadId, state, outbox, starts } = this.#facts
    const unsent = shown.filter(({ id }) => !state.settled.has(id))
    const isEmpty = threadId === undefined || !isUnread(this.#facts)
    const below = this.getSnapshot().messageIds().at(-1) ?? (isEmpty ? null : undefined)
    const id = threadId ?? this.#env.makeThreadId()
    this.#update({
      threadId: id,
      starts: [...starts, start],
      failure: undefined,
      outbox: send(outbox, start.run, unsent, below),
    })
    if (threadId === undefined) isolate(this.#options.onThreadId, id)
    this.#connector.schedule()
    return handle
  }

  #refusal(start: StartRequest): RivuletError | undefined {
    const { run, onInterrupted } = start
    if (this.#life.signal.aborted) return new RivuletError('CANCELLED', 'the thread was closed', { run })
    if (this.#facts.starts.length >= MAX_STARTS) {
      return new RivuletError('LIMIT_EXCEEDED', `${MAX_STARTS} runs wait for their start already`, { run })
    }
    const isAsked = this.getSnapshot().status === 'interrupted'
    if (!isPlainInput(start) || onInterrupted === 'discard' || !isAsked) return undefined
    const how = 'answer it (`resume`), or give it up (`onInterrupted: "discard"`)'
    return new RivuletError('RUN_CONFLICT', `the thread waits for an answer: ${how}`, { run })
  }

  #join(run: string): RunHandle {
    const { handle } = this.#watch(run)
    const { status = 'running', error } = this.#facts.state.runs.get(run) ?? {}
    if (status !== 'running') this.#finish(run, this.#result(status, error && errorFromWire(error)))
    return handle
  }

  #watch(run: string): Watch {
    const known = this.#watches.get(run)
    if (known !== undefined) return known
    const watch = watchRun(run, () => this.#stop(run))
    this.#watches.set(run, watch)
    return watch
  }

  #result(status: RunStatus, error?: RivuletError): RunResult {
    const { values, interrupts } = this.getSnapshot()
    return { status, values, interrupts, error }
  }

  #finish(run: string, result: RunResult): void {
    const watch = this.#watches.get(run)
    this.#watches.delete(run)
    watch?.finish(result)
  }

  /** A run did not begin, and will not. */
  #fail(run: string, failure: RivuletError): void {
    this.#update({ starts: this.#startsBut(run), failure, outbox: markFailed(this.#facts.outbox, run) })
    this.#finish(run, this.#result('error', failure))
    isolate(this.#options.onError, failure)
  }

  /** Nobody waits any more for what goes on elsewhere. */
  #leave(reason: string): void {
    for (const run of this.#watches.keys()) {
      this.#finish(run, this.#result('error', new RivuletError('CANCELLED', reason, { run })))
    }
    this.#connector.schedule()
  }

  // The connection: what came over it, how it ended.

  #receive(frame: Frame, current: Standing): Received {
    if (frame.type === 'retry') return 'nothing'
    if (frame.type === 'at') return this.#heartbeat(frame.log, frame.seq)
    // Whoever answers a start with a stream has taken it, even if what comes first cannot be applied yet.
    current.begun = true
    if (current.wanted.kind === 'start' && this.#isStarting(current.wanted.start.run)) {
      this.#taken.add(current.wanted.start.run)
      this.#connector.schedule()
    }
    const intake = takeIn(this.#facts, frame.events)
    this.#take(intake)
    const { gap, runs } = this.#facts.state
    if (gap !== undefined) throw new RivuletError('STREAM_GAP', gap.reason, { retryable: true })
    const { wanted } = current
    const run = wanted.kind === 'start' ? wanted.start.run : wanted.until
    const status = run === undefined ? undefined : runs.get(run)?.status
    if (status !== undefined && status !== 'running') return 'done'
    return intake.advanced ? 'progress' : 'nothing'
  }

  /**
   * A heartbeat says up to where everything was sent: what is beyond our cursor then is lost, unless it was filtered
   * out. So is the snapshot that began a log of which we have nothing.
   */
  #heartbeat(log: string, seq: number): Received {
    const { state } = this.#facts
    if (log !== state.log || (this.#options.filter === undefined && seq > state.cursor)) {
      throw new RivuletError('STREAM_GAP', `events up to ${seq} did not arrive`, { retryable: true })
    }
    return 'progress'
  }

  /** Makes an intake the present, then tells whoever asked to be told. */
  #take({ facts, applied, begun, ended }: Intake): void {
    if (facts === this.#facts) return
    const { runs } = facts.state
    const hasBegun = ({ run }: StartRequest) => runs.has(run)
    const starts = facts.starts.some(hasBegun) ? facts.starts.filter((start) => !hasBegun(start)) : facts.starts
    for (const { run } of facts.starts) if (runs.has(run)) this.#taken.delete(run)
    if (starts !== facts.starts) this.#connector.schedule()
    this.#update({ state: facts.state, outbox: facts.outbox, starts })
    for (const event of applied) this.#tell(event)
    // Events come only over a thread's own connection, so it has its id.
    for (const run of [...begun, ...ended]) isolate(this.#env.onRun, this.id!, run)
    for (const run of ended) {
      const error = run.error && errorFromWire(run.error)
      const result = this.#result(run.status, error)
      this.#finish(run.id, result)
      isolate(this.#options.onFinish, result, run.id)
      if (error !== undefined) isolate(this.#options.onError, error)
    }
  }

  #tell(event: RivuletEvent): void {
    isolate(this.#options.onEvent, event)
    for (const listener of this.#listeners) isolate(listener, event)
    if (event.type === 'sync') for (const watch of this.#watches.values()) watch.push(event)
    else this.#watches.get(event.run)?.push(event)
  }

  #closed({ wanted }: Standing, closed: Closed): void {
    if (closed.reason !== 'failed') return this.#update({ connection: idleHealth })
    const { error } = closed
    const { state } = this.#facts
    if (error.code === 'CURSOR_GONE' && cursorOf(state) !== undefined) {
      return this.#update({ state: { ...state, log: '' } })
    }
    const isNew = wanted.kind === 'start' && this.#waited?.run !== wanted.start.run
    if (isNew && this.#env.transport.wait !== undefined && STREAM_FAILURES.includes(error.code))
      return void this.#wait(wanted.start, error)
    this.#giveUp(wanted, error)
  }

  /** Asks for the run without a stream; what it did is read once it has ended, as even what holds streams back lets a body pass that has its end. */
  async #wait(start: StartRequest, error: RivuletError): Promise<void> {
    const waited = { run: start.run, isOver: false }
    this.#waited = waited
    try {
      await this.#env.transport.wait?.(this.id!, start, { signal: this.#life.signal })
      waited.isOver = true
      this.#connector.schedule()
    } catch {
      waited.isOver = true
      // Why the stream failed says more than why this did.
      if (!this.#life.signal.aborted) this.#giveUp({ kind: 'start', start }, error)
    }
  }

  #giveUp(wanted: Wanted, error: RivuletError): void {
    if (wanted.kind === 'start' && this.#isStarting(wanted.start.run)) return this.#fail(wanted.start.run, error)
    this.#gaveUp = true
    if (error.retryable) this.#cancelWake = this.#env.timing.onWake(() => this.#reopen())
    this.#update({ failure: error })
    for (const run of this.#watches.keys()) this.#finish(run, this.#result('error', error))
    isolate(this.#options.onError, error)
  }

  /** Forgets that the connection was given up. */
  #sleep(): void {
    this.#gaveUp = false
    this.#cancelWake?.()
    this.#cancelWake = undefined
  }

  #reopen(): void {
    this.#sleep()
    this.#update({ failure: undefined })
    this.#connector.schedule()
  }

  // Stopping.

  async #stop(run: string): Promise<void> {
    const { transport } = this.#env
    if (this.#isStarting(run)) {
      if (!this.#isDialled(run)) return this.#forget(run, this.#underWay() === run ? markFailed : withdraw)
      // A cancel that overtakes the start would find no run to cancel.
      await this.#until(() => !this.#isStarting(run) || this.#facts.connection.phase !== 'connecting')
      if (this.#isStarting(run) && transport.cancel === undefined) return this.#forget(run)
    }
    if (!this.#isStarting(run) && this.#facts.state.runs.get(run)?.status !== 'running') return
    if (transport.cancel === undefined) return this.#assumeEnd(run)
    const { result } = this.#watch(run).handle
    if (this.#gaveUp) this.#reopen()
    try {
      await transport.cancel(this.id!, run, { signal: this.#life.signal })
    } catch (thrown) {
      if (this.#isStarting(run)) return this.#forget(run)
      return this.#note(toRivuletError(thrown))
    }
    // The end of a run that waits behind another one is told when its turn comes; nobody needs to wait for that.
    if (this.#isStarting(run) && this.#underWay() !== run) return this.#forget(run, withdraw)
    this.#connector.schedule()
    await result
  }

  /** The run that a person sees at work: the one that runs, else the one that is being started. */
  #underWay(): string | undefined {
    const { state, starts } = this.#facts
    const run = currentRun(state)
    return run?.status === 'running' ? run.id : starts[0]?.run
  }

  #startsBut(run: string): readonly StartRequest[] {
    this.#taken.delete(run)
    return this.#facts.starts.filter((start) => start.run !== run)
  }

  #isStarting(run: string): boolean {
    return this.#facts.starts.some((start) => start.run === run)
  }

  /** Whether the connection there is was opened to start this run, or a call is under way that starts it. */
  #isDialled(run: string): boolean {
    if (this.#waited?.isOver === false) return this.#waited.run === run
    const wanted = this.#connector.current?.wanted
    return wanted?.kind === 'start' && wanted.start.run === run
  }

  #until(isReached: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const check = () => {
        if (!isReached()) return
        stopWatching()
        resolve()
      }
      const stopWatching = this.subscribe(check)
      check()
    })
  }

  /** A run was stopped before it began: what it would have sent stays, marked as not delivered, or goes with it. */
  #forget(run: string, settle = markFailed): void {
    if (this.#isDialled(run)) this.#connector.drop()
    this.#update({ starts: this.#startsBut(run), outbox: settle(this.#facts.outbox, run) })
    this.#finish(run, this.#result('cancelled'))
    this.#connector.schedule()
  }

  /** To stop without a way to cancel is to stop reading. */
  #assumeEnd(run: string): void {
    this.#connector.drop()
    this.#take(assumeEnd(this.#facts, run))
    this.#connector.schedule()
  }

  /** Something failed that ends nothing. */
  #note(failure: RivuletError): void {
    this.#update({ failure })
    isolate(this.#options.onError, failure)
  }
}

function stopOnAbort(handle: RunHandle, signal: AbortSignal): void {
  const stop = () => void handle.stop()
  if (signal.aborted) return stop()
  signal.addEventListener('abort', stop, { once: true })
  void handle.result.then(() => signal.removeEventListener('abort', stop))
}
