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

/** The runs that this process carries out, or will. */
export class Flights {
  readonly #all = new Map<string, Flight>()
  readonly #byThread = new Map<string, Set<Flight>>()
  readonly #ofTenant = new Map<string, number>()

  add(flight: Flight): void {
    const { tenant, thread } = flight.job
    this.#all.set(flight.key, flight)
    const others = this.#byThread.get(thread.memory) ?? new Set()
    this.#byThread.set(thread.memory, others.add(flight))
    this.#ofTenant.set(tenant, this.countOf(tenant) + 1)
  }

  delete(flight: Flight): void {
    if (!this.#all.delete(flight.key)) return
    const { tenant, thread } = flight.job
    const others = this.#byThread.get(thread.memory)
    others?.delete(flight)
    if (others?.size === 0) this.#byThread.delete(thread.memory)
    const left = this.countOf(tenant) - 1
    if (left === 0) this.#ofTenant.delete(tenant)
    else this.#ofTenant.set(tenant, left)
  }

  get(key: string): Flight | undefined {
    return this.#all.get(key)
  }

  all(): Flight[] {
    return [...this.#all.values()]
  }

  /** Those of a thread, by the name under which it is kept. */
  ofThread(memory: string): Flight[] {
    return [...(this.#byThread.get(memory) ?? [])]
  }

  countOf(tenant: string): number {
    return this.#ofTenant.get(tenant) ?? 0
  }
}
