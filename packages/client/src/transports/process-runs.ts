import {
  PROTOCOL_VERSION,
  randomId,
  recordRun,
  RivuletError,
  type EventLog,
  type GraphState,
  type Message,
  type RewindTo,
  type RunEnd,
  type RunEvent,
  type RunOptions,
  type StreamableGraph,
} from '@rivulet/protocol'
import { isPlainInput, type StartRequest } from './transport.ts'

/** A run that was taken: it runs, waits for its turn, or has ended. */
interface TakenRun {
  readonly stop: AbortController
  hasBegun: boolean
  /** Once it ended, the thread is to be as it was before. */
  isTakenBack: boolean
  readonly end: Promise<RunEnd>
}

/** The runs of one thread in this process: one at a time, the others behind it in order. */
export interface ProcessRuns {
  /** Id of the run that was taken last and has not ended; `undefined` when the thread is free. */
  readonly busyWith: string | undefined
  /**
   * Takes a run, or joins the one of the same id. Throws `RUN_CONFLICT` while the thread is busy or waits for an answer
   * and the request does not say what to do then, `LIMIT_EXCEEDED` when too many wait.
   */
  take(graph: StreamableGraph, start: StartRequest): void
  /**
   * Stops a run and resolves when its end is in the log; one that waits will never run, which the log says when its turn
   * comes. Throws `NOT_FOUND` for an unknown one.
   */
  cancel(run: string): Promise<void>
  /** Resolves when a run whose end is in the log has left the thread free; at once for others. */
  left(run: string): Promise<void>
  /** Stops all. */
  close(): Promise<void>
}

/** The thread that runs belong to. */
export interface RunsOwner {
  readonly id: string
  readonly log: EventLog
  /** Whether the thread waits for an answer. */
  isAsking(): boolean
  began(graph: string): void
  ended(end: RunEnd): void
}

/** Runs of a thread that are remembered by id. */
const KEPT_RUNS = 1000
/** Runs that may wait behind one another. */
const MAX_WAITING = 32

/** The runs of a thread that has none yet. */
export function createProcessRuns(owner: RunsOwner): ProcessRuns {
  const runs = new Map<string, TakenRun>()
  const open = new Set<string>()
  let turn: Promise<unknown> = Promise.resolve()

  const refuse = (start: StartRequest) => {
    const { run, multitask = 'reject', onInterrupted } = start
    const busyWith = [...open].at(-1)
    if (busyWith !== undefined && multitask === 'reject') throw busy(owner.id, busyWith)
    if (open.size > MAX_WAITING) {
      throw new RivuletError('LIMIT_EXCEEDED', `${MAX_WAITING} runs wait on thread ${owner.id} already`, { run })
    }
    if (!isPlainInput(start) || onInterrupted === 'discard' || busyWith !== undefined || !owner.isAsking()) return
    const how = 'answer it (`resume`), or give it up (`onInterrupted: "discard"`)'
    throw new RivuletError('RUN_CONFLICT', `thread ${owner.id} waits for an answer: ${how}`, { run })
  }

  const carryOut = async (graph: StreamableGraph, start: StartRequest, taken: TakenRun): Promise<RunEnd> => {
    const { run } = start
    const { signal } = taken.stop
    if (signal.aborted) return await writeCancelled(owner.log, run)
    taken.hasBegun = true
    owner.began(start.graph)
    const base = await stateBefore(graph, owner.id)
    const end = await recordRun(owner.log, graph, inputOf(start), runOptions(start, owner.id, signal))
    if (taken.isTakenBack) await takeBack(owner, graph, base)
    owner.ended(end)
    open.delete(run)
    return end
  }

  const stopAll = (isTakenBack: boolean) => {
    for (const id of open) {
      const taken = runs.get(id)
      if (taken === undefined) continue
      taken.isTakenBack ||= isTakenBack
      taken.stop.abort()
    }
  }

  return {
    get busyWith() {
      return [...open].at(-1)
    },
    take(graph, start) {
      const { run, multitask } = start
      if (runs.has(run)) return
      refuse(start)
      if (multitask === 'interrupt' || multitask === 'rollback') stopAll(multitask === 'rollback')
      open.add(run)
      const stop = new AbortController()
      const end = turn.then(() => carryOut(graph, start, taken)).finally(() => open.delete(run))
      const taken: TakenRun = { stop, hasBegun: false, isTakenBack: false, end }
      runs.set(run, taken)
      turn = end.catch(() => undefined)
      for (const id of runs.keys()) if (runs.size > KEPT_RUNS && !open.has(id)) runs.delete(id)
    },
    async cancel(run) {
      const taken = runs.get(run)
      if (taken === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${run}`, { run })
      taken.stop.abort()
      if (taken.hasBegun) await taken.end
    },
    async left(run) {
      await runs.get(run)?.end.catch(() => undefined)
    },
    async close() {
      stopAll(false)
      await turn
    },
  }
}

/** The thread's state as it is; a graph that fails to say it may still run. */
async function stateBefore(graph: StreamableGraph, thread: string): Promise<GraphState | undefined> {
  try {
    return await graph.getState?.(thread)
  } catch {
    return undefined
  }
}

/** The error of whoever wants a thread for itself that another run has. */
export function busy(thread: string, run: string): RivuletError {
  return new RivuletError('RUN_CONFLICT', `run ${run} is under way on thread ${thread}`, { run })
}

/** A run that was given up before its turn came begins and ends at once, so that its readers learn of it. */
async function writeCancelled(log: EventLog, run: string): Promise<RunEnd> {
  const end: RunEnd = { type: 'run.end', run, status: 'cancelled' }
  await log.append([{ type: 'run.start', run, protocol: PROTOCOL_VERSION }, end])
  return end
}

/** The thread is again as it was at `base`, for its graph and for its readers. */
async function takeBack({ id, log }: RunsOwner, graph: StreamableGraph, base: GraphState | undefined): Promise<void> {
  if (base?.checkpointId === undefined) await graph.deleteThread?.(id)
  else await graph.updateState?.(id, {}, { checkpointId: base.checkpointId })
  await showState(log, base ?? { values: {}, next: [] }, 'rollback')
}

/** Tells whoever reads a log of a state that no run made. */
export async function showState(log: EventLog, state: GraphState, reason: RewindTo['reason'] = 'fork'): Promise<void> {
  const lists = Object.entries(state.values).filter((entry): entry is [string, Message[]] => isMessageList(entry[1]))
  const names = new Set(lists.map(([key]) => key))
  // Nothing else has this id: it is no run's.
  const run = randomId()
  await log.append([
    {
      type: 'rewind',
      run,
      to: state.checkpointId ?? null,
      reason,
      state: {
        values: Object.fromEntries(Object.entries(state.values).filter(([key]) => !names.has(key))),
        lists: Object.fromEntries(lists.map(([key, messages]) => [key, messages.map(({ id }) => id)])),
        messages: lists.flatMap(([, messages]) => messages),
      },
    },
    ...(state.interrupts ?? []).map(({ id, value }): RunEvent => ({ type: 'interrupt', run, id, value })),
  ])
}

function isMessageList(value: unknown): boolean {
  const isMessage = (item: Partial<Message> | null) => typeof item?.id === 'string' && typeof item.role === 'string'
  return Array.isArray(value) && value.length > 0 && value.every(isMessage)
}

function inputOf({ input, resume, goto }: StartRequest): unknown {
  if (resume === undefined && goto === undefined) return input
  // A command of the runtime by its structure, as the runtime itself is not needed here; what is put in beside an
  // answer or a jump updates the state.
  return { '~command': true, resume, update: input ?? undefined, goto: goto ?? [], graph: undefined }
}

function runOptions(start: StartRequest, threadId: string, signal: AbortSignal): RunOptions {
  const { run: runId, input: _in, resume: _re, goto: _go, multitask: _mu, onInterrupted: _on, ...given } = start
  const set = Object.entries(given).filter(([, value]) => value !== undefined)
  // The fields that are left have the same names and types there.
  return { ...(Object.fromEntries(set) as RunOptions), runId, threadId, signal }
}
