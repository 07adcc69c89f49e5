import { readLog, RivuletError, type EventLog, type LogReader, type ReadQuery } from '@rivulet/protocol'
import { EventStream, type LastWord } from './event-stream.ts'
import type { Wire } from './wire.ts'

/** How a stream is opened. */
export interface OpenStream {
  tenant: string
  /** Tells whose streams end together when the thread goes. */
  thread: string
  log: EventLog
  query: ReadQuery
  /** Reads the log in a way of its own, in place of `query`. */
  read?: (signal: AbortSignal) => LogReader
  wire?: Wire
  heartbeatMs: number
  stallMs: number
  onError: (error: unknown) => void
  /** Called when the client leaves before the stream has ended. */
  onLeave?: () => void
}

/** The event streams that are open, so that they can be ended when their thread or the server goes. */
export class LiveStreams {
  readonly #byThread = new Map<string, Set<EventStream>>()
  readonly #byTenant = new Map<string, number>()
  readonly #maxPerTenant: number

  /** `maxPerTenant`: streams that one tenant may have open. */
  constructor(maxPerTenant: number) {
    this.#maxPerTenant = maxPerTenant
  }

  /** How many are open. */
  get size(): number {
    let size = 0
    for (const streams of this.#byTenant.values()) size += streams
    return size
  }

  /** Opens a stream of the log. Throws `LIMIT_EXCEEDED` when the tenant has too many. */
  open({ tenant, thread, log, query, read, ...rest }: OpenStream): EventStream {
    const tenants = this.#byTenant
    const open = tenants.get(tenant) ?? 0
    if (open >= this.#maxPerTenant) {
      throw new RivuletError('LIMIT_EXCEEDED', `${this.#maxPerTenant} streams are open already`, { retryable: true })
    }
    tenants.set(tenant, open + 1)
    const stop = new AbortController()
    const streams = this.#byThread.get(thread) ?? new Set()
    this.#byThread.set(thread, streams)
    const stream: EventStream = new EventStream({
      ...rest,
      reader: read?.(stop.signal) ?? readLog(log, query, stop.signal),
      log: log.id,
      stop,
      onEnd: () => {
        streams.delete(stream)
        if (streams.size === 0) this.#byThread.delete(thread)
        const left = (tenants.get(tenant) ?? 1) - 1
        if (left === 0) tenants.delete(tenant)
        else tenants.set(tenant, left)
      },
    })
    streams.add(stream)
    return stream
  }

  /** Ends the streams of a thread, each with `last`. */
  endThread(thread: string, last: LastWord): void {
    for (const stream of this.#byThread.get(thread) ?? []) stream.end(last)
  }

  /** Ends all streams, each with `last`. */
  endAll(last: LastWord): void {
    for (const streams of this.#byThread.values()) for (const stream of streams) stream.end(last)
  }
}
