import { RivuletError, type RivuletEvent, type RunStatus, type TypedGraph, type UntypedGraph } from '@rivulet/protocol'
import type { PendingInterruptOf, ValuesOf } from './snapshot.ts'

/** How a run ended, with the thread's state at that moment. A run that could not be started ends in `error`. */
export interface RunResult<G extends TypedGraph = UntypedGraph> {
  status: RunStatus
  values: ValuesOf<G>
  interrupts: readonly PendingInterruptOf<G>[]
  error: RivuletError | undefined
}

/**
 * A run that was asked for. Iterate over it for its events: each once, in order, over as many connections as it takes,
 * from where the iteration begins, which is the run's start when that is done at once; where events were too old to be
 * sent again, the snapshot that stands in for them. Leaving the loop only stops watching. An iteration that falls
 * 10,000 events behind throws `SLOW_CONSUMER`.
 */
export interface RunHandle<G extends TypedGraph = UntypedGraph> extends AsyncIterable<RivuletEvent> {
  /** Id of the run, made here; the key by which a repeated start is the same run. */
  readonly id: string
  /** Resolves when the run ended or could not be watched to its end. Never rejects. */
  readonly result: Promise<RunResult<G>>
  /** Cancels the run where it runs; resolves when it ended, its partial answer kept. Never rejects. */
  stop(): Promise<void>
}

/** The other end of a handle: what the store tells it. */
export interface Watch {
  readonly handle: RunHandle
  readonly isOver: boolean
  readonly push: (event: RivuletEvent) => void
  readonly finish: (result: RunResult) => void
}

/** Events an iteration may fall behind. */
const MAX_BEHIND = 10_000

/** A handle for this run and the end that feeds it. */
export function watchRun(id: string, stop: () => Promise<void>): Watch {
  const readers = new Set<Reader>()
  let isOver = false
  let settle: (result: RunResult) => void
  const result = new Promise<RunResult>((resolve) => (settle = resolve))
  const handle: RunHandle = {
    id,
    result,
    stop,
    [Symbol.asyncIterator]() {
      const reader = createReader(() => readers.delete(reader))
      if (isOver) reader.end()
      else readers.add(reader)
      return reader.iterator
    },
  }
  return {
    handle,
    get isOver() {
      return isOver
    },
    push(event) {
      for (const reader of readers) reader.push(event)
    },
    finish(outcome) {
      if (isOver) return
      isOver = true
      settle(outcome)
      for (const reader of readers) reader.end()
      readers.clear()
    },
  }
}

interface Reader {
  readonly iterator: AsyncIterator<RivuletEvent>
  push(event: RivuletEvent): void
  end(): void
}

/** A bounded queue of events with one side to fill it and an iterator to empty it. */
function createReader(onLeave: () => void): Reader {
  const done = { done: true, value: undefined } as const
  const waiting: ((result: IteratorResult<RivuletEvent>) => void)[] = []
  let queue: RivuletEvent[] = []
  let isEnded = false
  let overflow: RivuletError | undefined
  const end = () => {
    isEnded = true
    for (const resolve of waiting.splice(0)) resolve(done)
  }
  const leave = () => {
    onLeave()
    queue = []
    end()
  }
  const iterator: AsyncIterator<RivuletEvent> = {
    next() {
      const value = queue.shift()
      if (value !== undefined) return Promise.resolve({ done: false, value })
      if (overflow !== undefined) {
        const error = overflow
        overflow = undefined
        return Promise.reject(error)
      }
      return isEnded ? Promise.resolve(done) : new Promise((resolve) => waiting.push(resolve))
    },
    return() {
      leave()
      return Promise.resolve(done)
    },
  }
  return {
    iterator,
    push(event) {
      const resolve = waiting.shift()
      if (resolve !== undefined) resolve({ done: false, value: event })
      else if (queue.length < MAX_BEHIND) queue.push(event)
      else {
        leave()
        overflow = new RivuletError('SLOW_CONSUMER', `the loop over the run fell ${MAX_BEHIND} events behind`)
      }
    },
    end,
  }
}
