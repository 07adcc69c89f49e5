import {
  Patience,
  RivuletError,
  type Commit,
  type RunEnd,
  type RunEvent,
  type RunOptions,
  type StreamableGraph,
} from '@rivulet/protocol'

/** Bounds of one run. */
export interface RunLimits {
  /** Milliseconds. */
  runMs: number
  runEvents: number
  /** Length of its events as JSON, roughly. */
  runBytes: number
}

/** How a run is watched over. */
export interface Supervision {
  limits: RunLimits
  /** An event as readers may see it. */
  shown: (event: RunEvent) => RunEvent
  /** What is told in place of the end of a run that was cancelled. */
  onCancelled: (end: RunEnd) => AsyncIterable<RunEvent> | Iterable<RunEvent>
}

/** Milliseconds that a graph has to end by itself once it went beyond a limit. */
const GRACE_MS = 5000
/** A delta's JSON beside its text, roughly. */
const DELTA_FIELDS = 100

/** A graph whose run ends as `LIMIT_EXCEEDED` when it takes too long or says too much. */
export function supervised(graph: StreamableGraph, supervision: Supervision): StreamableGraph {
  return {
    events: (input, options = {}) => watch((watched) => graph.events(input, watched), options, supervision),
    journal(checkpointer, input, options = {}) {
      // Asked twice: a graph says by this whether it keeps its threads there, and runs only what is iterated.
      if (graph.journal?.(checkpointer, input, options) === undefined) return undefined
      return watch((watched) => graph.journal!(checkpointer, input, watched)!, options, supervision)
    },
  }
}

async function* watch<T extends RunEvent | Commit>(
  open: (options: RunOptions) => AsyncIterable<T | RunEvent>,
  options: RunOptions,
  { limits, shown, onCancelled }: Supervision,
): AsyncGenerator<T | RunEvent, void> {
  const stop = new AbortController()
  const signal = options.signal === undefined ? stop.signal : AbortSignal.any([options.signal, stop.signal])
  const exceed = (what: string): void => stop.abort(new RivuletError('LIMIT_EXCEEDED', `the run ${what}`))
  const timer = setTimeout(exceed, limits.runMs, `took longer than ${limits.runMs} ms`)
  const events = open({ ...options, signal })[Symbol.asyncIterator]()
  const patience = new Patience(stop.signal, GRACE_MS)
  const meter = new Meter(limits, exceed)
  try {
    for (;;) {
      const { done, value: event } = await patience.wait(events.next())
      if (done) return
      if (event.type === 'commit') {
        yield event
        continue
      }
      if (event.type === 'run.end' && event.run === options.runId) {
        // `shown` gives back an event of the same type.
        yield* endsOf(shown(event) as RunEnd, stop.signal, onCancelled)
        return
      }
      if (!stop.signal.aborted) meter.add(event)
      yield shown(event)
    }
  } catch (error) {
    // A graph that does not end by itself is left.
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    clearTimeout(timer)
    patience.end()
    // Whoever stopped reading does not wait for the graph to notice.
    void Promise.resolve(events.return?.()).catch(() => undefined)
  }
}

function endsOf(
  end: RunEnd,
  exceeded: AbortSignal,
  onCancelled: Supervision['onCancelled'],
): AsyncIterable<RunEvent> | Iterable<RunEvent> {
  if (exceeded.aborted) {
    // Only `exceed` aborts it, with this.
    const error = (exceeded.reason as RivuletError).toJSON()
    return [{ ...end, status: 'error', error: { ...error, run: end.run } }]
  }
  return end.status === 'cancelled' ? onCancelled(end) : [end]
}

/** Counts what a run says. */
class Meter {
  readonly #limits: RunLimits
  readonly #exceed: (what: string) => void
  #events = 0
  #bytes = 0

  constructor(limits: RunLimits, exceed: (what: string) => void) {
    this.#limits = limits
    this.#exceed = exceed
  }

  add(event: RunEvent): void {
    const { runEvents, runBytes } = this.#limits
    this.#events++
    this.#bytes += event.type === 'message.delta' ? DELTA_FIELDS + event.text.length : sizeOf(event)
    if (this.#events > runEvents) this.#exceed(`had more than ${runEvents} events`)
    else if (this.#bytes > runBytes) this.#exceed(`wrote more than ${runBytes} bytes`)
  }
}

function sizeOf(event: RunEvent): number {
  try {
    return JSON.stringify(event).length
  } catch {
    // The log says so where the event would stand.
    return 0
  }
}
