import type { Checkpointer } from '@rivulet/core'
import { RivuletError, type StreamableGraph } from '@rivulet/protocol'
import { type Context, Hono } from 'hono'
import {
  type CorsOptions,
  corsHeaders,
  originCheck,
  type OriginCheck,
  refuseForeignOrigin,
  refuseForeignPage,
} from '../http/origin.ts'
import { type Connection, type Identify, SocketSession } from '../socket/session.ts'
import { publicError, statusOf } from '../http/public-error.ts'
import { checkId } from '../http/fields.ts'
import { type KeeperLimits, RunKeeper } from '../runs/run-keeper.ts'
import { rememberStream } from '../stream/stream-body.ts'
import { LiveStreams } from '../stream/live-streams.ts'
import type { Log } from '../telemetry/log-entry.ts'
import { isLangGraph, langGraph, type LangGraphLike } from '../langgraph/langgraph-graph.ts'
import { memoryStore } from '../threads/memory-store.ts'
import type { Store } from '../threads/store.ts'
import type { Api, MountedApi, Session } from './api.ts'
import type { AppEnv, Deps, Identity } from './deps.ts'
import { eventRoutes } from './event-routes.ts'
import { runRoutes } from './run-routes.ts'
import { threadRoutes } from './thread-routes.ts'

/** Bounds of an app. */
export interface Limits {
  /** Largest request body, in bytes. Default 1 MiB. */
  bodyBytes?: number
  /** How deep a body's objects and lists may be nested. Default 64. */
  jsonDepth?: number
  /** Milliseconds after which a reader that takes nothing is dropped; it can resume. Default 60,000. */
  stallMs?: number
  /** Runs that may wait on a thread. Default 16; more are answered 429. */
  queuedRuns?: number
  /** Runs of a tenant under way or waiting. Default 5,000; more are answered 429. */
  tenantRuns?: number
  /** Event streams of a tenant, over HTTP and WebSocket. Default 10,000; more are answered 429. */
  tenantStreams?: number
  /** Milliseconds that a run may take. Default an hour; it then ends `error`, `LIMIT_EXCEEDED`. */
  runMs?: number
  /** Events that a run may have. Default 1,000,000. */
  runEvents?: number
  /** JSON text of its events that a run may write, in bytes, roughly. Default 256 MiB. */
  runBytes?: number
}

/** What an app is made of. */
export interface AppOptions {
  /**
   * Graphs by the name that clients call them by. One without a checkpointer gets the store's. A compiled graph of
   * LangGraph.js is served too, and keeps its threads in its own checkpointer.
   */
  graphs: Readonly<Record<string, ServedGraph | LangGraphLike>>
  /**
   * Takes graphs that were compiled with a checkpointer of their own, which then keeps what the store does not know of.
   * Default `false`: such a graph is refused.
   */
  keepCheckpointer?: boolean
  /** Where threads, runs and logs live. Default {@link memoryStore}. */
  store?: Store
  /**
   * Says who sends a request; everything a tenant has is invisible to all others. `undefined` answers 401; a
   * `RivuletError` of code `FORBIDDEN` answers 403. Without it everybody is the tenant `""`.
   */
  auth?: (request: Request) => Identity | undefined | Promise<Identity | undefined>
  /** Pages of other origins that may call. Default: none. */
  cors?: CorsOptions
  /** Other protocols to speak besides, such as `langGraphApi()` of `@rivulet/server/langgraph-api`. Default: none. */
  apis?: readonly Api[]
  limits?: Limits
  /**
   * Tells clients the messages of errors that nodes and tools threw, which may hold what is not for them. Default `false`:
   * they are told the code and the node, and `onError` the rest. Never told: stacks, and errors of the server's own.
   */
  exposeErrors?: boolean
  /** Milliseconds between heartbeats on a stream. Default 15,000. */
  heartbeatMs?: number
  /** Told of failures of the server's own, which clients are only told the code of. Default: writes them to stderr. */
  onError?: (error: unknown) => void
  /** Told of every request and run; nothing that a model or a person wrote is in it. Default: nobody is told. */
  log?: Log
  /** Milliseconds since the epoch. Default `Date.now`. */
  now?: () => number
}

/** A graph that can be served: a compiled one, or anything that emits the event model. */
export interface ServedGraph extends StreamableGraph {
  /** This graph with a memory of its threads: itself when it has a checkpointer. */
  withMemory?(checkpointer?: Checkpointer): StreamableGraph
}

/** How an app closes. */
export interface CloseOptions {
  /** Milliseconds that runs under way have to end by themselves before they are handed over or cancelled. Default 5,000. */
  graceMs?: number
}

/** A server of graphs, for any host that speaks `Request` and `Response`. */
export interface App {
  /** Answers a request; never rejects. A stream's body is read lazily: a slow client holds back only itself. */
  fetch(request: Request): Promise<Response>
  /**
   * Answers 503 from now on, tells every reader when to come back and ends it, and gives runs time to end. Those that do
   * not are left to the process that opens the store next; with a store that forgets they are cancelled. Closes the store.
   */
  close(options?: CloseOptions): Promise<void>
  /** Throws `NOT_FOUND`, `FORBIDDEN` or `DISCONNECTED` for a request that may not become a WebSocket. */
  admitSocket(request: Request): void
  /** Serves a WebSocket that was admitted. */
  openSocket(request: Request, connection: Connection): Session
  readonly socketLimits: { maxFrameBytes: number; heartbeatMs: number }
  /** Whether requests are asked who they are from. */
  readonly hasAuth: boolean
  /** How many event streams are open. */
  readonly openStreams: number
}

/** On every answer: it is not to be guessed at, shown elsewhere, kept, or changed on its way. */
const HEADERS = {
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'same-origin',
  'cache-control': 'no-store, no-transform',
}

/** Where the own wire's WebSockets are. */
const SOCKET_PATH = '/v1/ws'

/** What readers are told to wait before they come back to a server that closes, in milliseconds. */
const COME_BACK_MS = 1000

/**
 * Makes the app. Throws `INVALID_INPUT` for a graph's name that no path can hold, for something that is no graph, and for
 * cors options that would open accounts to any page.
 */
export function createApp(options: AppOptions): App {
  const deps = depsOf(options)
  const allowed = originCheck(options.cors)
  const { auth = everybody } = options
  const identify: Identify = async (request) => {
    await recovered
    return auth(request)
  }
  const apis = (options.apis ?? []).map((api) => api.mount(deps, identify))
  const router = routerOf(deps, { ...options, auth }, allowed, apis)
  // Nobody is answered before the runs that a process before this one left are under way again.
  const recovered = deps.runs.recover().catch(deps.onError)
  let closing: Promise<void> | undefined
  return {
    admitSocket(request) {
      const { pathname } = new URL(request.url)
      if (pathname !== SOCKET_PATH && !apis.some((api) => api.isSocket(pathname))) {
        throw new RivuletError('NOT_FOUND', `there is no socket at ${pathname}`)
      }
      if (closing !== undefined) throw closingError()
      refuseForeignOrigin(request, allowed)
    },
    openSocket(request, connection) {
      for (const api of apis) {
        const session = api.openSocket(request, connection)
        if (session !== undefined) return session
      }
      return new SocketSession(deps, identify, request, connection)
    },
    socketLimits: { maxFrameBytes: deps.bodyLimits.bodyBytes, heartbeatMs: deps.heartbeatMs },
    hasAuth: options.auth !== undefined,
    get openStreams() {
      return deps.streams.size
    },
    async fetch(request) {
      await recovered
      return closing === undefined ? answer(router, request) : closedAnswer()
    },
    close({ graceMs = 5_000 } = {}) {
      closing ??= closeAll(deps, recovered, graceMs)
      return closing
    },
  }
}

async function answer(router: Hono<AppEnv>, request: Request): Promise<Response> {
  const offered: AppEnv['Bindings']['offered'] = {}
  const response = await router.fetch(request, { offered })
  // Asked only for its head, a stream has no reader.
  if (request.method === 'HEAD') offered.stream?.end()
  else if (offered.stream !== undefined) rememberStream(response, offered.stream)
  return response
}

async function closeAll({ streams, runs }: Deps, recovered: Promise<void>, graceMs: number): Promise<void> {
  await recovered
  streams.endAll({ type: 'retry', delayMs: COME_BACK_MS })
  await runs.close(graceMs)
}

function closedAnswer(): Response {
  return errorAnswer(closingError(), HEADERS)
}

function closingError(): RivuletError {
  return new RivuletError('DISCONNECTED', 'the server is closing', { retryable: true })
}

/** Who asks, where nobody is asked who they are. */
function everybody(): Identity {
  return { tenant: '' }
}

/** Tells of an error; where the same request may succeed later, also when to try. */
function errorAnswer(error: RivuletError, headers: Readonly<Record<string, string>> = {}): Response {
  const status = statusOf(error)
  const later = status === 429 || status === 503 ? { 'retry-after': String(COME_BACK_MS / 1000) } : {}
  return Response.json({ error: error.toJSON() }, { status, headers: { ...headers, ...later } })
}

function depsOf(options: AppOptions): Deps {
  const { store = memoryStore(), limits = {}, now = Date.now, keepCheckpointer = false, exposeErrors = false } = options
  const onError = isolated(options.onError ?? reportToStderr)
  const log = isolatedLog(options.log, onError)
  const streams = new LiveStreams(limits.tenantStreams ?? 10_000)
  const onUntold = (memory: string, error: RivuletError) => streams.endThread(memory, error)
  const graphs = new Map(
    Object.entries(options.graphs).map(([name, graph]) => [
      checkId(name, 'a graph name'),
      withMemory(name, graph, store, keepCheckpointer),
    ]),
  )
  return {
    graphs,
    store,
    now,
    onError,
    log,
    runs: new RunKeeper({ graphs, store, now, onError, onUntold, log, exposeErrors, limits: keeperLimits(limits) }),
    streams,
    bodyLimits: { bodyBytes: limits.bodyBytes ?? 1024 * 1024, jsonDepth: limits.jsonDepth ?? 64 },
    stallMs: limits.stallMs ?? 60_000,
    heartbeatMs: options.heartbeatMs ?? 15_000,
  }
}

function keeperLimits(given: Limits): KeeperLimits {
  return {
    queuedRuns: given.queuedRuns ?? 16,
    tenantRuns: given.tenantRuns ?? 5000,
    runMs: given.runMs ?? 60 * 60 * 1000,
    runEvents: given.runEvents ?? 1_000_000,
    runBytes: given.runBytes ?? 256 * 1024 * 1024,
  }
}

function withMemory(name: string, graph: ServedGraph | LangGraphLike, store: Store, keepOwn: boolean): StreamableGraph {
  if (typeof graph === 'object' && graph !== null && isLangGraph(graph)) return langGraph(graph)
  if (typeof graph?.events !== 'function') {
    throw new RivuletError('INVALID_INPUT', `graphs.${name} is no graph: it has no events(); was it compiled?`)
  }
  const remembering = graph.withMemory?.(store.checkpointer)
  if (remembering !== graph || keepOwn) return remembering ?? graph
  const how = 'compile it without one and the store keeps its threads, or set keepCheckpointer'
  throw new RivuletError('INVALID_INPUT', `graphs.${name} has a checkpointer of its own: ${how}`)
}

function routerOf(
  deps: Deps,
  { auth, cors }: AppOptions & { auth: Identify },
  allowed: OriginCheck,
  apis: readonly MountedApi[],
): Hono<AppEnv> {
  const router = new Hono<AppEnv>()
  router.use(async (context, next) => {
    const at = deps.now()
    await next()
    logRequest(deps, context, at)
    for (const [name, value] of Object.entries(HEADERS)) context.res.headers.set(name, value)
  })
  router.use(corsHeaders(cors, apis))
  router.use(async (context, next) => {
    refuseForeignPage(context.req.raw, allowed)
    const identity = await auth(context.req.raw)
    if (identity === undefined) throw new RivuletError('AUTH_REQUIRED', 'the request does not say who it is from')
    context.set('tenant', identity.tenant)
    await next()
  })
  router.route('/v1', runRoutes(deps))
  router.route('/v1', eventRoutes(deps))
  router.route('/v1', threadRoutes(deps))
  for (const { routes } of apis) router.route('/', routes)
  router.notFound((context) => {
    const error = new RivuletError('NOT_FOUND', `there is no ${context.req.method} ${context.req.path}`)
    return Response.json({ error: error.toJSON() }, { status: 404 })
  })
  router.onError((error) => {
    const told = publicError(error)
    if (told.code === 'INTERNAL') deps.onError(error)
    return errorAnswer(told)
  })
  return router
}

function logRequest({ log, now }: Deps, { req, res, get }: Context<AppEnv>, at: number): void {
  const tenant: string | undefined = get('tenant')
  log({ type: 'request', at, method: req.method, path: req.path, status: res.status, ms: now() - at, tenant })
}

/** The log, unable to harm whoever writes to it. */
function isolatedLog(log: Log | undefined, onError: (error: unknown) => void): Log {
  if (log === undefined) return () => undefined
  return (entry) => {
    try {
      log(entry)
    } catch (error) {
      onError(error)
    }
  }
}

/** The hook, unable to harm whoever calls it. */
function isolated(onError: (error: unknown) => void): (error: unknown) => void {
  return (error) => {
    try {
      onError(error)
    } catch (thrown) {
      reportToStderr(thrown)
    }
  }
}

function reportToStderr(error: unknown): void {
  // oxlint-disable-next-line no-console -- a failure nobody was told of must not be silent; `onError` replaces this
  console.error(error)
}
