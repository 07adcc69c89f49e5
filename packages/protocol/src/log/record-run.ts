import { RivuletError, toRivuletError, type WireError } from '../errors.ts'
import { PROTOCOL_VERSION, type RunEnd, type RunEvent } from '../events/event.ts'
import type { Commit, RunOptions, StreamableGraph } from '../graph.ts'
import { randomId } from '../random-id.ts'
import type { EventLog } from './event-log.ts'
import { GroupWriter } from './group-writer.ts'
import { Patience } from './patience.ts'

/** How a run is recorded: how it is asked of the graph, and how it is written. */
export interface RecordOptions extends RunOptions {
  /** Fencing number for every append; a log that has seen a higher one refuses them and the run is stopped. */
  fence?: number
  /**
   * Says what readers may know of an error that the graph threw or the log answered with, neither of which was meant for
   * them. Default: its code and message.
   */
  describe?: (error: unknown) => WireError
  /** Time in milliseconds that a graph has to end by itself once the signal aborted. Default 5,000. */
  graceMs?: number
}

const DEFAULT_GRACE_MS = 5_000

/**
 * Runs a graph once and writes its events to a log, in order and in groups. Readers of the log see the run; nobody else
 * does. Resolves with the run's end once that is in the log; never rejects.
 *
 * The log gets exactly one `run.start` and one `run.end` of this run, whatever the graph does: an iterator that throws,
 * or ends without a `run.end`, ends the run `error`; one that has not ended `graceMs` after the signal aborted is left
 * and ends it `cancelled`, or `error` where the signal's reason is a `RivuletError` of another code than `CANCELLED`; what
 * it emits after that is dropped. An event that is not JSON becomes an `error` event. A log that
 * keeps checkpoints too gets those of the run, each with the events before it. When
 * the log refuses an append the graph is stopped and the run ends `error`; if the log refuses even that end, readers
 * never see it and the resolved end still says why.
 */
export async function recordRun(
  log: EventLog,
  graph: StreamableGraph,
  input: unknown,
  options: RecordOptions = {},
): Promise<RunEnd> {
  const { fence, describe = describeError, graceMs = DEFAULT_GRACE_MS, ...given } = options
  const run = given.runId ?? randomId()
  const leave = new AbortController()
  const signal = given.signal ? AbortSignal.any([given.signal, leave.signal]) : leave.signal
  const appending = fence === undefined ? {} : { fence }
  const writer = new GroupWriter(log, appending, (error) => leave.abort(error))
  const historyInLog = given.historyInLog ?? log.head() > 0
  const source = open(graph, log.keepsFor, input, { ...given, runId: run, signal, historyInLog })
  const endWith = (error: unknown): RunEnd => {
    const why = signal.aborted ? signal.reason : error
    return signal.aborted && !isFailure(why)
      ? { type: 'run.end', run, status: 'cancelled' }
      : { type: 'run.end', run, status: 'error', error: { ...describe(why), run } }
  }
  let end = await pump({ source, run, writer, signal, graceMs, endWith })
  await writer.drain()
  if (writer.failure !== undefined) {
    end = { type: 'run.end', run, status: 'error', error: { ...describe(writer.failure), run } }
    // The log may take a short end where it refused a large event; where it does not, the caller is told.
    await log.append([end], appending).catch(() => undefined)
  }
  return end
}

/** Whether a run that was stopped for this has failed, and was not cancelled. */
function isFailure(reason: unknown): boolean {
  return reason instanceof RivuletError && reason.code !== 'CANCELLED'
}

/** Starts the graph. One that throws instead of answering is one whose first event throws. */
function open(
  graph: StreamableGraph,
  keepsFor: object | undefined,
  input: unknown,
  options: RunOptions,
): AsyncIterator<RunEvent | Commit> {
  try {
    const journal = keepsFor && graph.journal?.(keepsFor, input, options)
    return (journal ?? graph.events(input, options))[Symbol.asyncIterator]()
  } catch (error) {
    return { next: () => Promise.reject(toRivuletError(error)) }
  }
}

/** What moves events from a graph to a writer. */
interface PumpOptions {
  source: AsyncIterator<RunEvent | Commit>
  run: string
  writer: GroupWriter
  /** Once it aborts, the graph has `graceMs` to end. */
  signal: AbortSignal
  graceMs: number
  /** The end of a run whose graph made none. */
  endWith: (error: unknown) => RunEnd
}

/**
 * Moves events until the run's end, which it makes when the graph does not. By callbacks: a loop that awaits would cost
 * every event several turns.
 */
function pump({ source, run, writer, signal, graceMs, endWith }: PumpOptions): Promise<RunEnd> {
  return new Promise((resolve) => {
    let started = false
    let over = false
    function write(event: RunEvent | Commit): void {
      if (!started && event.type !== 'run.start') writer.push({ type: 'run.start', run, protocol: PROTOCOL_VERSION })
      started = true
      writer.push(event)
    }
    function finish(end: RunEnd): void {
      over = true
      patience.end()
      void leave(source)
      resolve(end)
    }
    function fail(error: unknown): void {
      if (over) return
      const end = endWith(error)
      write(end)
      finish(end)
    }
    function take({ done, value }: IteratorResult<RunEvent | Commit>): void {
      if (over) return
      if (done) return fail(new RivuletError('INTERNAL', 'the graph stopped without ending its run'))
      try {
        write(value)
      } catch (error) {
        return fail(error)
      }
      if (value.type === 'run.end' && value.run === run) return finish(value)
      const full = writer.full()
      if (full === undefined) step()
      else void full.then(step)
    }
    function step(): void {
      if (over) return
      try {
        source.next().then(take, fail)
      } catch (error) {
        fail(error)
      }
    }
    const patience = new Patience(signal, graceMs, fail)
    step()
  })
}

function describeError(error: unknown): WireError {
  return toRivuletError(error).toJSON()
}

/** Tells the graph that nobody reads any more. The run is over: how long that takes, or that it fails, is its own affair. */
async function leave(source: AsyncIterator<unknown>): Promise<void> {
  try {
    await source.return?.()
  } catch {
    // See above.
  }
}
