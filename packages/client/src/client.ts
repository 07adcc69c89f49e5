import { randomId, RivuletError, type Run, type TypedGraph, type UntypedGraph } from '@rivulet/protocol'
import { defaultRetryPolicy, type RetryPolicy } from './connection/connection.ts'
import { systemTiming, type Timing } from './connection/timing.ts'
import { isolate } from './store/isolate.ts'
import { createThreadStore } from './store/live-thread.ts'
import type { ThreadOptions, ThreadStore } from './store/thread-store.ts'
import { fetchTransport, type FetchTransportOptions } from './transports/fetch-transport.ts'
import type { CallOptions, ThreadsApi, Transport } from './transports/transport.ts'

/** How a client reaches its backend: our server at `url`, or any {@link Transport}. */
export type ClientOptions = (FetchTransportOptions | { transport: Transport }) & {
  /** Name of this client in cache keys, for caches that outlive the page. Default: the `url`, else one that is made. */
  id?: string | undefined
  /** How dropped connections are tried again; what is left out has its default. */
  retry?: Partial<RetryPolicy> | undefined
  /** Events a second beyond which a connection is closed with `LIMIT_EXCEEDED`. Default 200,000. */
  maxEventsPerSecond?: number | undefined
  /** Clock, timers and chance; for tests. */
  timing?: Timing | undefined
}

/** Threads as the backend keeps them. A call rejects with `UNSUPPORTED` when the transport cannot do it. */
export interface ClientThreads extends ThreadsApi {
  /** A thread's state, now or at a checkpoint, of its graph or of one below. */
  state: NonNullable<Transport['state']>
  /** A thread's states, the last first. */
  history: NonNullable<Transport['history']>
  /** Writes an update into a thread's state, as a node's would be. */
  update: NonNullable<Transport['update']>
  /** Makes a thread that begins with this one's state, now or at a checkpoint. */
  fork: NonNullable<ThreadsApi['fork']>
  /** Stops a run; resolves when it has ended. */
  cancel(thread: string, run: string, options?: CallOptions): Promise<void>
}

/** A backend's client: threads to talk to, and what the backend can tell about them. */
export interface Client {
  /** Tells clients apart, in cache keys for example. */
  readonly id: string
  readonly threads: ClientThreads
  /** A store for one thread. Nothing is opened until it is used. */
  thread<G extends TypedGraph = UntypedGraph>(options: ThreadOptions<G>): ThreadStore<G>
  /**
   * Calls back when a run is seen to begin or to end (`status` tells) on one of this client's threads, whoever started
   * it. The function it returns ends that.
   */
  onRun(fn: (threadId: string, run: Run) => void): () => void
}

/** A client of our server at `url`, or of whatever `transport` reaches. It opens nothing by itself. */
export function createClient(options: ClientOptions): Client {
  const transport = 'transport' in options ? options.transport : fetchTransport(options)
  const listeners = new Set<(threadId: string, run: Run) => void>()
  const environment = {
    transport,
    policy: { ...defaultRetryPolicy, ...options.retry },
    timing: options.timing ?? systemTiming,
    maxEventsPerSecond: options.maxEventsPerSecond ?? 200_000,
    makeId: () => randomId(),
    makeThreadId: () => transport.makeThreadId?.() ?? randomId(),
    onRun(threadId: string, run: Run) {
      for (const listener of listeners) isolate(listener, threadId, run)
    },
  }
  return {
    id: options.id ?? ('url' in options ? options.url : randomId()),
    threads: threadsOf(transport),
    thread: <G extends TypedGraph>(thread: ThreadOptions<G>) => createThreadStore(environment, thread),
    onRun(fn) {
      const listener: typeof fn = (threadId, run) => fn(threadId, run)
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
  }
}

function threadsOf(transport: Transport): ClientThreads {
  const { threads } = transport
  return {
    list: passOn(threads, 'list'),
    create: passOn(threads, 'create'),
    get: passOn(threads, 'get'),
    delete: passOn(threads, 'delete'),
    fork: passOn(threads, 'fork'),
    state: passOn(transport, 'state'),
    history: passOn(transport, 'history'),
    update: passOn(transport, 'update'),
    cancel: (thread, run, options = {}) => passOn(transport, 'cancel')(thread, run, options),
  }
}

/** A method of the transport, or what rejects with `UNSUPPORTED` when it has no such method. */
function passOn<O extends object, K extends keyof O & string>(owner: O | undefined, name: K): NonNullable<O[K]> {
  const call = async (...given: unknown[]): Promise<unknown> => {
    const method: unknown = owner?.[name]
    if (typeof method !== 'function') throw new RivuletError('UNSUPPORTED', `this transport has no ${name}`)
    return await method.apply(owner, given)
  }
  // Takes and gives what the method does; every method named above returns a promise.
  return call as unknown as NonNullable<O[K]>
}
