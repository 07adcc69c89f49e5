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
import type { RetryPolicy } from '../connection/connection.ts'
import { idleHealth } from '../connection/health.ts'
import { keepOpen, type Received } from '../connection/keep-open.ts'
import type { Timing } from '../connection/timing.ts'
import { isPlainInput, type StartRequest, type Transport } from '../transports/transport.ts'
import { cursorOf, isUnread, type ThreadFacts } from './facts.ts'
import { prepareInput } from './input.ts'
import { assumeEnd, takeIn, type Intake } from './intake.ts'
import { isolate } from './isolate.ts'
import { createObservers } from './observers.ts'
import { markFailed, send, withdraw } from './outbox.ts'
import { isSameConnection, wantedConnection, type Standing, type Wanted } from './plan.ts'
import { watchRun, type RunHandle, type RunResult, type Watch } from './run-handle.ts'
import type { ThreadOptions, ThreadStore } from './thread-store.ts'

/** What a store stands on. */
export interface StoreEnvironment {
  transport: Transport
  policy: RetryPolicy
  timing: Timing
  maxEventsPerSecond: number
  makeId: () => string
  makeThreadId: () => string
  /** Told of every run that is seen to begin or to end. */
  onRun: (threadId: string, run: Run) => void
}

/** Runs that may wait for their start at once; one more fails with `LIMIT_EXCEEDED`. */
const MAX_STARTS = 32

/** What may be due to streams alone, so that a call without one may still get through. */
const STREAM_FAILURES: readonly ErrorCode[] = ['DISCONNECTED', 'PROTOCOL_MISMATCH']

/** A store for one thread. It opens nothing until a run is submitted or somebody follows. */
export function createThreadStore(environment: StoreEnvironment, options: ThreadOptions): ThreadStore {
  const { transport, policy, timing, maxEventsPerSecond, makeId } = environment
  let facts: ThreadFacts = {
    threadId: options.threadId,
    state: emptyState(),
    outbox: [],
    starts: [],
    failure: undefined,
    connection: idleHealth,
    messagesKey: options.messagesKey ?? 'messages',
    initialValues: options.initialValues,
  }
  const { set, ...view } = createObservers(facts)
  const life = new AbortController()
  const watches = new Map<string, Watch>()
  const listeners = new Set<(event: RivuletEvent) => void>()
  /** Runs whose start was answered and that wait for their turn: the next one may be started behind them. */
  const taken = new Set<string>()
  let last: { start: StartRequest; shown: readonly Message[] } | undefined
  let followers = 0
  let gaveUp = false
  let cancelWake = () => {}
  let current: (Standing & { controller: AbortController }) | undefined
  let isScheduled = false
  /** The last run that was waited for without a stream. */
  let waitedFor: string | undefined

  const update = (change: Partial<ThreadFacts>) => set((facts = { ...facts, ...change }))
  const isStarting = (run: string) => facts.starts.some((start) => start.run === run)
  const isRunning = (run: string) => facts.state.runs.get(run)?.status === 'running'
  /** The run that a person sees at work: the one that runs, else the one that is being started. */
  const underWay = () => {
    const run = currentRun(facts.state)
    return run?.status === 'running' ? run.id : facts.starts[0]?.run
  }
  const startsBut = (run: string) => {
    taken.delete(run)
    return facts.starts.filter((start) => start.run !== run)
  }

  // Runs: started, watched, finished.

  const watch = (run: string): Watch => {
    const known = watches.get(run) ?? watchRun(run, () => stopRun(run))
    watches.set(run, known)
    return known
  }
  const resultOf = (status: RunStatus, error?: RivuletError): RunResult => {
    const { values, interrupts } = view.getSnapshot()
    return { status, values, interrupts, error }
  }
  const finish = (run: string, result: RunResult) => {
    const known = watches.get(run)
    watches.delete(run)
    known?.finish(result)
  }
  /** Something failed; with it these runs, as far as anybody here can tell. */
  const fail = (failure: RivuletError, runs: Iterable<string> = [], change: Partial<ThreadFacts> = {}) => {
    update({ ...change, failure })
    for (const run of runs) finish(run, resultOf('error', failure))
    isolate(options.onError, failure)
  }
  const failStart = (run: string, failure: RivuletError) =>
    fail(failure, [run], { starts: startsBut(run), outbox: markFailed(facts.outbox, run) })

  const begin = (start: StartRequest, shown: readonly Message[]): RunHandle => {
    const { handle } = watch(start.run)
    const refusal = refusalOf(start)
    if (refusal) {
      failStart(start.run, refusal)
      return handle
    }
    last = { start, shown }
    sleep()
    const { threadId, state, outbox, starts } = facts
    const unsent = shown.filter(({ id }) => !state.settled.has(id))
    const isEmpty = threadId === undefined || !isUnread(facts)
    const below = view.getSnapshot().messageIds().at(-1) ?? (isEmpty ? null : undefined)
    const id = threadId ?? environment.makeThreadId()
    update({
      threadId: id,
      starts: [...starts, start],
      failure: undefined,
      outbox: send(outbox, start.run, unsent, below),
    })
    if (threadId === undefined) isolate(options.onThreadId, id)
    schedule()
    return handle
  }
  const refusalOf = (start: StartRequest): RivuletError | undefined => {
    const { run, onInterrupted } = start
    const refusal = (code: ErrorCode, sentence: string) => new RivuletError(code, sentence, { run })
    if (life.signal.aborted) return refusal('CANCELLED', 'the thread was closed')
    if (facts.starts.length >= MAX_STARTS) {
      return refusal('LIMIT_EXCEEDED', `${MAX_STARTS} runs wait for their start already`)
    }
    const isAsked = view.getSnapshot().status === 'interrupted'
    if (!isPlainInput(start) || onInterrupted === 'discard' || !isAsked) return undefined
    return refusal('RUN_CONFLICT', 'the thread waits for an answer: `resume`, or `onInterrupted: "discard"`')
  }
  const join = (run: string): RunHandle => {
    const { handle } = watch(run)
    const { status = 'running', error } = facts.state.runs.get(run) ?? {}
    if (status !== 'running') finish(run, resultOf(status, error && errorFromWire(error)))
    return handle
  }
  /** Nobody waits any more for what goes on elsewhere. */
  const leave = (reason: string) => {
    for (const run of watches.keys()) finish(run, resultOf('error', new RivuletError('CANCELLED', reason, { run })))
    schedule()
  }

  // The connection: which one, what came over it, how it ended.

  /** Looks at what is wanted once the caller has finished, so that what is asked for in one go is opened once. */
  const schedule = () => {
    if (isScheduled) return
    isScheduled = true
    queueMicrotask(() => {
      isScheduled = false
      const next = facts.starts.filter(({ run }) => !taken.has(run))
      const plan = {
        threadId: life.signal.aborted ? undefined : facts.threadId,
        // Only a run that is meant to wait is sent while another one has not begun yet.
        starts: taken.size === 0 || next[0]?.multitask === 'enqueue' ? next : [],
        followers,
        watched: [...watches.keys()].filter((run) => taken.has(run) || isRunning(run)),
        gaveUp,
      }
      const wanted = wantedConnection(plan, current)
      if (isSameConnection(wanted, current?.wanted)) return
      drop()
      if (wanted) open(wanted)
      else if (!gaveUp) update({ connection: idleHealth })
    })
  }
  const drop = () => {
    const controller = current?.controller
    current = undefined
    controller?.abort()
  }
  /** Opens a connection; `insteadOf` a stream that failed so, the run is waited for without one. */
  const open = (wanted: Wanted, insteadOf?: RivuletError) => {
    const mine = { wanted, begun: false, controller: new AbortController() }
    current = mine
    const { start, until } = wanted
    const link = {
      heartbeatMs: insteadOf ? Infinity : transport.heartbeatMs,
      maxEventsPerSecond,
      open: (signal: AbortSignal) => {
        // The plan wants no connection before the thread has its id.
        const thread = facts.threadId!
        if (insteadOf && start) return waited(transport.wait?.(thread, start, { signal }))
        const asked = { thread, filter: options.filter, ...(start && !mine.begun ? { start } : { until }) }
        return transport.open(asked, { signal, after: cursorOf(facts.state) })
      },
      receive: (frame: Frame) => (insteadOf ? 'done' : receive(frame, mine)),
      report: (connection: ThreadFacts['connection']) => {
        if (current === mine && !insteadOf) update({ connection })
      },
    }
    void keepOpen(link, policy, timing, mine.controller.signal).then((how) => {
      if (current !== mine) return
      current = undefined
      // Why the stream failed says more than why the call without one did.
      if (how.reason === 'failed') lost(start, insteadOf ?? how.error)
      else update({ connection: idleHealth })
      schedule()
    })
  }
  const receive = (frame: Frame, mine: Standing): Received => {
    if (frame.type === 'retry') return 'nothing'
    if (frame.type === 'at') {
      // It says up to where everything was sent: what is beyond our cursor then is lost, unless it was filtered out. So
      // is the snapshot that began a log of which we have nothing.
      const { log, cursor } = facts.state
      if (frame.log === log && (options.filter || frame.seq <= cursor)) return 'progress'
      throw gapped(`events up to ${frame.seq} did not arrive`)
    }
    // Whoever answers a start with a stream has taken it, even if what comes first cannot be applied yet.
    mine.begun = true
    const { start, until } = mine.wanted
    if (start && isStarting(start.run)) {
      taken.add(start.run)
      schedule()
    }
    const intake = takeIn(facts, frame.events)
    take(intake)
    if (facts.state.gap) throw gapped(facts.state.gap.reason)
    if (until !== undefined && facts.state.runs.has(until) && !isRunning(until)) return 'done'
    return intake.advanced ? 'progress' : 'nothing'
  }
  /** Makes an intake the present, then tells whoever asked to be told. */
  const take = ({ facts: next, applied, begun, ended }: Intake) => {
    if (next === facts) return
    const starts = facts.starts.filter(({ run }) => !next.state.runs.has(run))
    if (starts.length < facts.starts.length) {
      for (const { run } of facts.starts) if (next.state.runs.has(run)) taken.delete(run)
      schedule()
    }
    const { state, outbox } = next
    update({ state, outbox, ...(starts.length < facts.starts.length && { starts }) })
    for (const event of applied) tell(event)
    // Events come only over a thread's own connection, so it has its id.
    for (const run of [...begun, ...ended]) isolate(environment.onRun, facts.threadId!, run)
    for (const run of ended) {
      const error = run.error && errorFromWire(run.error)
      const result = resultOf(run.status, error)
      finish(run.id, result)
      isolate(options.onFinish, result, run.id)
      if (error) isolate(options.onError, error)
    }
  }
  const tell = (event: RivuletEvent) => {
    isolate(options.onEvent, event)
    for (const listener of listeners) isolate(listener, event)
    for (const [run, { push }] of watches) if (event.type === 'sync' || event.run === run) push(event)
  }
  const lost = (start: StartRequest | undefined, error: RivuletError) => {
    const { state } = facts
    if (error.code === 'CURSOR_GONE' && cursorOf(state) !== undefined) return update({ state: { ...state, log: '' } })
    if (start && transport.wait && start.run !== waitedFor && STREAM_FAILURES.includes(error.code)) {
      waitedFor = start.run
      return open({ start, until: start.run }, error)
    }
    if (start && isStarting(start.run)) return failStart(start.run, error)
    gaveUp = true
    if (error.retryable) cancelWake = timing.onWake(reopen)
    fail(error, watches.keys())
  }
  /** Forgets that the connection was given up. */
  const sleep = () => {
    gaveUp = false
    cancelWake()
  }
  const reopen = () => {
    sleep()
    update({ failure: undefined })
    schedule()
  }

  // Stopping.

  const stopRun = async (run: string): Promise<void> => {
    const canCancel = transport.cancel !== undefined
    const isDialled = () => current?.wanted.start?.run === run
    /** It was stopped before it began: what it would have sent stays, marked as not delivered, or goes with it. */
    const forget = (settle = markFailed) => {
      if (isDialled()) drop()
      update({ starts: startsBut(run), outbox: settle(facts.outbox, run) })
      finish(run, resultOf('cancelled'))
      schedule()
    }
    if (isStarting(run)) {
      if (!isDialled()) return forget(underWay() === run ? markFailed : withdraw)
      // A cancel that overtakes the start would find no run to cancel.
      await until(() => !isStarting(run) || facts.connection.phase !== 'connecting')
      if (isStarting(run) && !canCancel) return forget()
    }
    if (!isStarting(run) && !isRunning(run)) return
    if (!canCancel) {
      // To stop without a way to cancel is to stop reading.
      drop()
      take(assumeEnd(facts, run))
      return schedule()
    }
    const { result } = watch(run).handle
    if (gaveUp) reopen()
    try {
      await transport.cancel?.(facts.threadId!, run, { signal: life.signal })
    } catch (thrown) {
      return isStarting(run) ? forget() : fail(toRivuletError(thrown))
    }
    // The end of a run that waits behind another one is told when its turn comes; nobody needs to wait for that.
    if (isStarting(run) && underWay() !== run) return forget(withdraw)
    schedule()
    await result
  }
  const until = (isReached: () => boolean) =>
    new Promise<void>((resolve) => {
      const check = () => {
        if (!isReached()) return
        stopWatching()
        resolve()
      }
      const stopWatching = view.subscribe(check)
      check()
    })

  const submit: ThreadStore['submit'] = (input, { signal, run = makeId(), ...rest } = {}) => {
    const { graph, modes } = options
    const prepared = prepareInput(input, facts.messagesKey, makeId)
    const isKnown = isStarting(run) || facts.state.runs.has(run)
    const handle = isKnown ? join(run) : begin({ modes, ...rest, run, graph, input: prepared.input }, prepared.shown)
    if (signal) stopOnAbort(handle, signal)
    return handle
  }

  return {
    ...view,
    get facts() {
      return facts
    },
    get id() {
      return facts.threadId
    },
    submit,
    async stop(run = underWay()) {
      if (run !== undefined) await stopRun(run)
    },
    retry() {
      const run = currentRun(facts.state)
      if (last && !facts.state.runs.has(last.start.run)) {
        return isStarting(last.start.run) ? watch(last.start.run).handle : begin(last.start, last.shown)
      }
      if (gaveUp) reopen()
      else if (run?.status === 'error') {
        // With a checkpoint the thread has the input already, and goes on where it failed.
        if (run.checkpoint !== undefined || last?.start.run !== run.id) return submit()
        return begin({ ...last.start, run: makeId() }, last.shown)
      }
      return undefined
    },
    follow() {
      followers++
      schedule()
      let isFollowing = true
      return () => {
        if (!isFollowing) return
        isFollowing = false
        followers--
        // Not at once: a component that is mounted twice in a row leaves and comes back in the same turn.
        queueMicrotask(() => {
          if (followers === 0) leave('nobody follows the thread any more; the run goes on')
        })
      }
    },
    listen(fn) {
      const listener = (event: RivuletEvent) => fn(event)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    dispose() {
      life.abort()
      followers = 0
      sleep()
      leave('the thread was closed; the run goes on')
      drop()
      update({ starts: [], connection: idleHealth })
    },
  }
}

/** Ends once the run has; what it did is read afterwards, as even what holds streams back lets a body pass that has its end. */
async function* waited(run: Promise<void> | undefined): AsyncGenerator<Frame> {
  try {
    await run
  } catch {
    throw new RivuletError('INTERNAL', 'the call failed')
  }
  yield { type: 'retry', delayMs: 0 }
}

function gapped(sentence: string): RivuletError {
  return new RivuletError('STREAM_GAP', sentence, { retryable: true })
}

function stopOnAbort(handle: RunHandle, signal: AbortSignal): void {
  const stop = () => void handle.stop()
  if (signal.aborted) return stop()
  signal.addEventListener('abort', stop, { once: true })
  void handle.result.then(() => signal.removeEventListener('abort', stop))
}
