import type { EventLog, StreamableGraph } from '@rivulet/protocol'
import type { Run, Thread } from '../threads/store.ts'
import type { RunRequest } from './run-request.ts'
import type { RunResult } from './run-result.ts'

/** All that belongs to one run. */
export interface Job {
  tenant: string
  thread: Thread
  graph: StreamableGraph
  log: EventLog
  run: Run
  request: RunRequest
}

/** A run that this process carries out, or will when those before it have ended. */
export class Flight {
  readonly job: Job
  readonly stop: AbortController = new AbortController()
  /** Resolves when the run has ended; never rejects. */
  readonly result: Promise<RunResult>
  /** It is being carried out. */
  begun = false
  /** When it is stopped, the thread goes back to where it stood before it. */
  rollback = false
  #settle: (result: RunResult) => void = () => undefined

  constructor(job: Job) {
    this.job = job
    this.result = new Promise((resolve) => (this.#settle = resolve))
  }

  /** The run is over. */
  settle(result: RunResult): void {
    this.#settle(result)
  }

  /** Name of its run among all. Cannot be forged by an id that contains a separator. */
  get key(): string {
    const { tenant, thread, run } = this.job
    return flightKey(tenant, thread.id, run.id)
  }
}

/** Name of a run among all. */
export function flightKey(tenant: string, thread: string, run: string): string {
  return JSON.stringify([tenant, thread, run])
}
