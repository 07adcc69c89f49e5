import {
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
  /** Is aborted with `LIMIT_EXCEEDED` when the run goes beyond a limit; whoever runs it stops it then. */
  exceeded: AbortController
  /** An event as readers may see it. */
  shown: (event: RunEvent) => RunEvent
  /** What is told in place of the end of a run that was cancelled. */
  onCancelled: (end: RunEnd) => AsyncIterable<RunEvent> | Iterable<RunEvent>
}

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

function watch<T extends RunEvent | Commit>(
  open: (options: RunOptions) => AsyncIterable<T | RunEvent>,
  options: RunOptions,
  supervision: Supervision,
): AsyncIterable<T | RunEvent> {
  return { [Symbol.asyncIterator]: () => new Watch(open, options, supervision) }
}

/** The events of one run, passed on one by one: by hand, as a generator would cost every event several turns. */
class Watch<T extends RunEvent | Commit> implements AsyncIterator<T | RunEvent, undefined> {
  readonly #run: string | undefined
  readonly #supervision: Supervision
  readonly #timer: ReturnType<typeof setTimeout>
  readonly #events: AsyncIterator<T | RunEvent>
  readonly #meter: Meter
  /** What is told in place of the run's end. */
  #ends: AsyncIterator<RunEvent, unknown> | undefined

  constructor(
    open: (options: RunOptions) => AsyncIterable<T | RunEvent>,
    options: RunOptions,
    supervision: Supervision,
  ) {
    const { limits, exceeded } = supervision
    const exceed = (what: string): void => {
      if (!exceeded.signal.aborted) exceeded.abort(new RivuletError('LIMIT_EXCEEDED', `the run ${what}`))
    }
    this.#run = options.runId
    this.#supervision = supervision
    this.#timer = setTimeout(exceed, limits.runMs, `took longer than ${limits.runMs} ms`)
    this.#meter = new Meter(limits, exceed)
    this.#events = open(options)[Symbol.asyncIterator]()
  }

  next(): Promise<IteratorResult<T | RunEvent, undefined>> {
    return this.#ends === undefined ? this.#events.next().then(this.#take) : this.#nextEnd(this.#ends)
  }

  async return(): Promise<IteratorResult<T | RunEvent, undefined>> {
    this.#leave()
    await this.#ends?.return?.()
    return { value: undefined, done: true }
  }

  readonly #take = (
    result: IteratorResult<T | RunEvent, unknown>,
  ): IteratorResult<T | RunEvent, undefined> | Promise<IteratorResult<T | RunEvent, undefined>> => {
    if (result.done) {
      this.#leave()
      return { value: undefined, done: true }
    }
    const { value: event } = result
    if (event.type === 'commit') return result
    const { shown, onCancelled, exceeded } = this.#supervision
    if (event.type === 'run.end' && event.run === this.#run) {
      // `shown` gives back an event of the same type.
      const ends = endsOf(shown(event) as RunEnd, exceeded.signal, onCancelled)
      this.#ends = iteratorOf(ends)
      return this.#nextEnd(this.#ends)
    }
    this.#meter.add(event)
    const told = shown(event)
    return told === event ? result : { value: told, done: false }
  }

  async #nextEnd(ends: AsyncIterator<RunEvent, unknown>): Promise<IteratorResult<RunEvent, undefined>> {
    const result = await ends.next()
    if (!result.done) return result
    this.#leave()
    return { value: undefined, done: true }
  }

  #leave(): void {
    clearTimeout(this.#timer)
    // Whoever stopped reading does not wait for the graph to notice.
    void Promise.resolve(this.#events.return?.()).catch(() => undefined)
  }
}

async function* iteratorOf(ends: AsyncIterable<RunEvent> | Iterable<RunEvent>): AsyncGenerator<RunEvent, void> {
  yield* ends
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
