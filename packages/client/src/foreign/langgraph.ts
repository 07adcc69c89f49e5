import {
  createSseDecoder,
  formatNamespace,
  messageOf,
  parseJson,
  randomId,
  RivuletError,
  ROOT,
  type GraphState,
  type Namespace,
  type RunEnd,
  type RunEvent,
} from '@rivulet/protocol'
import {
  createLangGraphDecoder,
  eventsOfState,
  readLangGraphState,
  type LangGraphDecoder,
  type RunToRead,
} from '@rivulet/protocol/wires/langgraph'
import { createHttp, eventStreamOf, segment, type Http, type HttpOptions } from '../transports/http.ts'
import { errorOfResponse } from '../transports/http-error.ts'
import type { SocketOptions } from '../transports/socket.ts'
import type { StartRequest, StateRequest, ThreadInfo, Transport } from '../transports/transport.ts'
import { findAgentStreamRun, startAgentStreamRun, unsure } from './agent-stream-run.ts'
import { joinAgentSocketRun, startAgentSocketRun, type LastSocket } from './agent-socket-run.ts'
import { foreignStreams, type ForeignRun } from './sessions.ts'

/** How to reach a LangGraph server. */
export interface LangGraphOptions extends Omit<HttpOptions, 'url'>, SocketOptions {
  /** Base address of its API. */
  apiUrl: string
  /** Assistant or graph to run. Default: the thread's `graph`. */
  assistantId?: string | undefined
  /** Which of its streams: the classic one of a run, or the thread's agent stream. Default `classic`. */
  protocol?: 'classic' | 'agent-stream' | undefined
  /**
   * What the agent stream goes over. Default `sse`. A WebSocket takes commands and frames together and the server keeps
   * nothing of them: after one that is lost, the run's end is waited for and what came of it is shown at once. Headers do
   * not go with it.
   */
  over?: 'sse' | 'web-socket' | undefined
  /** Modes of the classic stream. Default `values`, `messages-tuple`, `updates`, `custom` and `tasks`. */
  streamMode?: readonly string[] | undefined
}

const MODES = ['values', 'messages-tuple', 'updates', 'custom', 'tasks']

/**
 * A LangGraph server, of either language, over its classic runs API or its agent streaming protocol. Runs are resumable: a lost connection joins its run
 * again behind the last event, and goes on when nobody watches. Threads, state, history, updates and cancelling are the
 * server's. What a run that is lost before the server answered came to is not known, so it is not started again.
 */
export function langgraph(options: LangGraphOptions): Transport {
  const http = createHttp({ ...options, url: options.apiUrl })
  const { assistantId } = options
  const isAgentStream = options.protocol === 'agent-stream'
  const isSocket = options.over === 'web-socket'
  const last = new Map<string, LastSocket>()
  const findRun = (thread: string, runId: string): ForeignRun => {
    const reading = { run: runId }
    if (!isAgentStream) return createRun(http, options, thread, { reading, runId })
    const reached = { ...options, http, thread, last }
    return isSocket ? joinAgentSocketRun(reached, runId) : findAgentStreamRun(reached, reading)
  }
  return {
    ...foreignStreams({
      begin(thread, start, state) {
        const resume = start.resume === undefined ? undefined : [...state.interrupts.keys()]
        const reading = { run: start.run, resume, known: (id: string) => messageOf(state, id) }
        if (!isAgentStream) return createRun(http, options, thread, { reading, body: bodyOf(start, options) })
        const startRun = isSocket ? startAgentSocketRun : startAgentStreamRun
        return startRun({ ...options, http, thread, last }, reading, start, assistantId ?? start.graph)
      },
      async recall(thread, signal) {
        const state = await stateOf(http, thread, { signal }).catch(absent)
        if (state === undefined) return { events: [] }
        const query = '?limit=1&status=running'
        const [active] = await http.call<{ run_id: string }[]>(`${pathOf(thread)}/runs${query}`, { signal })
        const events = eventsOfState(state, randomId())
        if (active === undefined) return { events }
        return { events, running: findRun(thread, active.run_id) }
      },
    }),
    // The server takes UUIDs only.
    makeThreadId: () => crypto.randomUUID(),
    state: (thread, at = {}) => stateOf(http, thread, at).catch(absent),
    async history(thread, { limit = 10, before, ns = ROOT, signal } = {}) {
      const after = before === undefined ? {} : { before: { configurable: { checkpoint_id: before } } }
      const below = ns.length === 0 ? {} : { checkpoint: { checkpoint_ns: formatNamespace(ns) } }
      const body = { limit, ...after, ...below }
      return (await http.call<unknown[]>(`${pathOf(thread)}/history`, { body, signal })).map((one) =>
        readLangGraphState(one),
      )
    },
    async update(thread, update, { asNode, checkpointId, ns, signal } = {}) {
      const body = { values: update, as_node: asNode, ...placeOf(checkpointId, ns) }
      const { checkpoint } = await http.call<Written>(`${pathOf(thread)}/state`, { body, signal })
      return { checkpointId: checkpoint.checkpoint_id }
    },
    threads: threadsOf(http),
  }
}

async function stateOf(
  http: Http,
  thread: string,
  { checkpointId, ns = ROOT, subgraphs = false, signal }: StateRequest,
): Promise<GraphState> {
  const path = `${pathOf(thread)}/state`
  const get = `${path}${checkpointId === undefined ? '' : `/${segment(checkpointId)}`}${subgraphs ? '?subgraphs=true' : ''}`
  const json = await (ns.length === 0
    ? http.call(get, { signal })
    : http.call(`${path}/checkpoint`, { body: { ...placeOf(checkpointId, ns), subgraphs }, signal }))
  return readLangGraphState(json, { subgraphs })
}

interface Written {
  checkpoint: { checkpoint_id: string }
}

/** A thread as LangGraph answers it. */
interface LangGraphThread {
  thread_id: string
  status?: ThreadInfo['status']
  created_at: string
  updated_at: string
  metadata?: Readonly<Record<string, unknown>>
}

function threadsOf(http: Http): NonNullable<Transport['threads']> {
  return {
    async list({ limit = 20, cursor = '0', signal } = {}) {
      const offset = Number(cursor)
      const found = await http.call<LangGraphThread[]>('/threads/search', { body: { limit, offset }, signal })
      const page = { threads: found.map(infoOf) }
      return found.length < limit ? page : { ...page, cursor: String(offset + limit) }
    },
    create: async ({ id, metadata }, { signal } = {}) =>
      infoOf(await http.call('/threads', { body: { thread_id: id, metadata, if_exists: 'do_nothing' }, signal })),
    get: async (id, { signal } = {}) => infoOf(await http.call(pathOf(id), { signal })),
    delete: (id, { signal } = {}) => http.call(pathOf(id), { method: 'DELETE', signal }),
    async fork(id, { id: forkId, checkpointId, metadata } = {}, { signal } = {}) {
      if (forkId !== undefined || checkpointId !== undefined || metadata !== undefined) {
        throw new RivuletError('UNSUPPORTED', 'LangGraph copies a thread as it is, under an id of its own')
      }
      return infoOf(await http.call(`${pathOf(id)}/copy`, { body: {}, signal }))
    },
  }
}

function infoOf({
  thread_id: id,
  status = 'idle',
  created_at: made,
  updated_at: used,
  metadata,
}: LangGraphThread): ThreadInfo {
  const graph = metadata?.['graph_id']
  return {
    id,
    status,
    createdAt: Date.parse(made),
    updatedAt: Date.parse(used),
    ...(typeof graph === 'string' && { graph }),
    ...(metadata && { metadata }),
  }
}

/** Which run: one to be posted, or one of the server's. */
interface RunPlace {
  reading: RunToRead
  body?: object
  runId?: string
}

/** One run: posted when it is read first, unless it is there, and joined when it is read again. */
function createRun(
  http: Http,
  options: LangGraphOptions,
  thread: string,
  { reading, body, runId = '' }: RunPlace,
): ForeignRun {
  const decoder = createLangGraphDecoder(reading)
  let place = { runId, lastId: '-1' }
  const request = async (signal: AbortSignal): Promise<Response> => {
    const details = { accept: 'text/event-stream', signal }
    if (place.runId !== '') {
      const headers = { 'last-event-id': place.lastId }
      return http.send(`${runPath(thread, place.runId)}/stream`, { ...details, headers })
    }
    return http.send(`${pathOf(thread)}/runs/stream`, { ...details, body }).catch(unsure)
  }
  return {
    async *read(signal) {
      const response = await request(signal)
      if (!response.ok) throw await errorOf(response)
      place.runId ||= /\/runs\/([^/]+)/.exec(response.headers.get('content-location') ?? '')?.[1] ?? ''
      yield []
      for await (const [events, id] of eventsOf(response, decoder, options, signal)) {
        place = { runId: decoder.runId ?? place.runId, lastId: id ?? place.lastId }
        yield events
      }
      yield decoder.end(await statusOf(http, thread, place.runId, signal))
    },
    async cancel(signal) {
      if (place.runId !== '') await http.call(`${runPath(thread, place.runId)}/cancel?wait=1`, { body: {}, signal })
    },
  }
}

/** The events of a body in groups as they arrive, each with the id of its last block. */
async function* eventsOf(
  response: Response,
  decoder: LangGraphDecoder,
  { maxEventBytes }: LangGraphOptions,
  signal: AbortSignal,
): AsyncGenerator<[events: RunEvent[], id: string | undefined]> {
  let events: RunEvent[] = []
  let lastId: string | undefined
  const sse = createSseDecoder({
    maxEventBytes,
    onEvent({ event, data, id }) {
      events.push(...decoder.push(event, parseJson(data, event)))
      lastId = id ?? lastId
    },
  })
  for await (const bytes of eventStreamOf(response, signal)) {
    sse.push(bytes)
    yield [events, lastId]
    events = []
  }
}

/** How the server says that a run ended; `undefined` when it cannot tell. A run that goes on was cut off. */
async function statusOf(
  http: Http,
  thread: string,
  run: string,
  signal: AbortSignal,
): Promise<RunEnd['status'] | undefined> {
  if (run === '') return undefined
  const known = await http.call<{ status: string }>(runPath(thread, run), { signal }).catch(absent)
  if (known === undefined) return undefined
  const { status } = known
  if (status === 'running' || status === 'pending') {
    throw new RivuletError('DISCONNECTED', 'the stream ended before its run', { retryable: true, run })
  }
  return STATUSES[status]
}

/** What LangGraph's statuses say; a success may still have ended with a question. */
const STATUSES: Readonly<Record<string, RunEnd['status']>> = {
  error: 'error',
  timeout: 'error',
  interrupted: 'interrupted',
}

function bodyOf(
  { graph, input, resume, goto, checkpointId, metadata, tags, context, recursionLimit }: StartRequest,
  { assistantId = graph, streamMode = MODES }: LangGraphOptions,
): object {
  return {
    assistant_id: assistantId,
    ...(resume === undefined && goto === undefined
      ? { input }
      : { command: { resume, goto, update: input ?? undefined } }),
    ...placeOf(checkpointId),
    config: { tags, recursion_limit: recursionLimit },
    context,
    metadata,
    stream_mode: streamMode,
    stream_subgraphs: true,
    stream_resumable: true,
    on_disconnect: 'continue',
    if_not_exists: 'create',
    multitask_strategy: 'reject',
  }
}

function placeOf(checkpointId: string | undefined, ns: Namespace = ROOT): object {
  if (checkpointId === undefined && ns.length === 0) return {}
  return { checkpoint: { checkpoint_id: checkpointId, checkpoint_ns: formatNamespace(ns) } }
}

/** LangGraph answers 422 in words when the thread is busy. */
async function errorOf(response: Response): Promise<RivuletError> {
  if (response.status !== 422) return errorOfResponse(response)
  const text = await response.text().catch(() => '')
  return new RivuletError(
    /already running/i.test(text) ? 'RUN_CONFLICT' : 'INVALID_INPUT',
    text || 'the run was refused',
  )
}

/** What the server does not have is no error to whoever looks for it. */
function absent(error: unknown): undefined {
  if (error instanceof RivuletError && error.code === 'NOT_FOUND') return undefined
  throw error
}

function pathOf(thread: string): string {
  return `/threads/${segment(thread)}`
}

function runPath(thread: string, run: string): string {
  return `${pathOf(thread)}/runs/${segment(run)}`
}
