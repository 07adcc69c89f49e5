import {
  createClient,
  isolate,
  type Client,
  type RunResult,
  type ThreadFilter,
  type ThreadOptions,
  type Transport,
  type ValuesOf,
} from '@rivulet/client'
import type {
  Custom,
  RivuletError,
  RivuletEvent,
  StreamMode,
  TypedGraph,
  TypesOf,
  UntypedGraph,
} from '@rivulet/protocol'
import { useEffect, useInsertionEffect, useMemo, useState } from 'react'
import { createMethods, createStream, type Stream, type StreamMethods } from './stream.ts'

/** Where the backend is: exactly one of these. `transport` and `client` are taken as they are at first. */
export type StreamSource =
  | { url: string; transport?: undefined; client?: undefined }
  | { transport: Transport; url?: undefined; client?: undefined }
  | { client: Client; url?: undefined; transport?: undefined }

/** Name of the graph; what a transport reaches may be one graph, or know of none, and needs no name then. */
export type StreamedGraph = { graph: string } | { transport: Transport; graph?: undefined }

/** How a page shows a thread. Callbacks may change from render to render; the last ones count. */
export type StreamOptions<G extends TypedGraph = UntypedGraph> = StreamSource &
  StreamedGraph & {
    /** Thread to show. Without one, it is made when the first run is submitted. Another id shows another thread. */
    threadId?: string | null | undefined
    /** Told the id of a thread that was made here. To hand it back as `threadId` changes nothing on the page. */
    onThreadId?: ((threadId: string) => void) | undefined
    /** State key of the message list. Default `messages`. */
    messagesKey?: string | undefined
    /** Shown until the thread's own values are there. */
    initialValues?: ValuesOf<G> | undefined
    /** Least time between two renders in milliseconds; 0 renders every change. Default: one frame, two in a long answer. */
    throttle?: number | undefined
    /** Modes that runs record beyond the ones that always are. */
    modes?: readonly StreamMode[] | undefined
    /** Which of the thread's events to read. Default: all. */
    filter?: ThreadFilter | undefined
    onEvent?: ((event: RivuletEvent) => void) | undefined
    /** Told of what nodes and tools write with their writers. */
    onCustomEvent?: ((data: TypesOf<G>['custom'], event: Custom) => void) | undefined
    onError?: ((error: RivuletError) => void) | undefined
    /** Told of every run's end that is seen to come. */
    onFinish?: ((result: RunResult<G>, run: string) => void) | undefined
  }

/** A component's hold on a thread: its stream, which another thread id replaces, and methods that stay. */
export interface Instance {
  readonly stream: Stream
  readonly methods: StreamMethods
}

/** Keeps a component's thread: opened once it is mounted, left when it is not, replaced when another is to be shown. */
export function useInstance(options: StreamOptions): Instance {
  const [bond] = useState(() => createBond(options))
  const [held, setHeld] = useState(() => ({ shown: shownBy(options), stream: bond.open(options) }))
  const shown = shownBy(options)
  let { stream } = held
  if (!isSame(shown, held.shown)) {
    // In the very render that asks for another thread, so that no frame mixes the two.
    if (!isOwnId(shown, held.shown, stream))
      stream = bond.open(options, shown.url === held.shown.url ? stream : undefined)
    setHeld({ shown, stream })
  }
  useInsertionEffect(() => bond.keep(options, stream))
  useEffect(() => stream.start(), [stream])
  return useMemo(() => ({ stream, methods: bond.methods }), [stream, bond])
}

/** What decides whether a render still shows the same thread. */
interface Shown {
  readonly url: string | undefined
  readonly graph: string | undefined
  readonly messagesKey: string | undefined
  readonly threadId: string | undefined
}

function shownBy({ url, graph, messagesKey, threadId }: StreamOptions): Shown {
  return { url, graph, messagesKey, threadId: threadId ?? undefined }
}

function isSame(a: Shown, b: Shown): boolean {
  return a.threadId === b.threadId && a.url === b.url && a.graph === b.graph && a.messagesKey === b.messagesKey
}

/** Whether the id that is asked for now is the one this very thread was given. */
function isOwnId(shown: Shown, before: Shown, stream: Stream): boolean {
  return shown.threadId === stream.handle.thread.id && isSame({ ...shown, threadId: before.threadId }, before)
}

/** What outlives renders: callbacks and methods that see the options and the thread of the last render on screen. */
interface Bond {
  readonly methods: StreamMethods
  /** A stream for these options, over the client of `known` when it is given. */
  open(options: StreamOptions, known?: Stream): Stream
  /** Notes what is on screen now. */
  keep(options: StreamOptions, stream: Stream): void
}

function createBond(first: StreamOptions): Bond {
  let latest = first
  let current: Stream | undefined
  const callbacks: Partial<ThreadOptions> = {
    onThreadId: (id) => latest.onThreadId?.(id),
    onEvent(event) {
      isolate(latest.onEvent, event)
      if (event.type === 'custom') isolate(latest.onCustomEvent, event.data, event)
    },
    onError: (error) => latest.onError?.(error),
    onFinish: (result, run) => latest.onFinish?.(result, run),
  }
  return {
    // Nothing can be called before the first render was on screen.
    methods: createMethods(() => current!.handle.thread),
    open(options, known) {
      const client = known?.handle.client ?? clientOf(options)
      const { graph = '', threadId, messagesKey, initialValues, modes, filter, throttle } = options
      const thread = { graph, threadId: threadId ?? undefined, messagesKey, initialValues, modes, filter, ...callbacks }
      return createStream(client, client.thread(thread), throttle)
    },
    keep(options, stream) {
      latest = options
      current = stream
    },
  }
}

function clientOf(options: StreamOptions): Client {
  if (options.client !== undefined) return options.client
  return createClient(options.transport !== undefined ? { transport: options.transport } : { url: options.url })
}
