import {
  createFrameDecoder,
  formatNamespace,
  RivuletError,
  toRivuletError,
  type Frame,
  type GraphState,
} from '@rivulet/protocol'
import { addressOf, discardBody, errorOfResponse, retryAfterOf } from './http-error.ts'
import type { OpenRequest, ThreadInfo, ThreadPage, Transport } from './transport.ts'

type Headers = Readonly<Record<string, string>>

/** How to reach our server. */
export interface FetchTransportOptions {
  /** Base address, e.g. `https://example.com/agents`; the routes begin with `/v1` below it. */
  url: string
  /** Sent with every request. A function is asked before each; once more, `rejected`, when they were answered 401. */
  headers?: Headers | ((why: { rejected: boolean }) => Headers | Promise<Headers>) | undefined
  /** As of `fetch`. Default `same-origin`. */
  credentials?: RequestCredentials | undefined
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch | undefined
  /** The server's heartbeat interval in milliseconds. Default 15,000. */
  heartbeatMs?: number | undefined
  /** Longest event or batch in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
  /** Deepest nesting of an event. Default 1,024. */
  maxJsonDepth?: number | undefined
}

/**
 * Our server over HTTP: streams are server-sent events read with `fetch`, everything else is JSON. Errors that the
 * server names keep their code. A lost connection is `DISCONNECTED` and can be retried; an answer that is not the
 * server's (an HTML page, a redirect) is `PROTOCOL_MISMATCH` and cannot.
 */
export function fetchTransport(options: FetchTransportOptions): Transport {
  const send = sender(options)
  const call = async <T>(path: string, { method = 'GET', body, signal }: Partial<RequestDetails> = {}): Promise<T> => {
    const response = await send(path, { method, body, signal, accept: 'application/json' })
    if (!response.ok) throw await errorOfResponse(response)
    // What our own server answers on this route.
    return (response.status === 204 ? undefined : await jsonOf(response)) as T
  }
  return {
    heartbeatMs: options.heartbeatMs ?? 15_000,
    async *open(request, { signal, after }) {
      const response = await send(...streamRequest(request, after, signal))
      if (!response.ok) {
        const delayMs = retryAfterOf(response, Date.now())
        if (delayMs !== undefined) yield { type: 'retry', delayMs }
        throw await errorOfResponse(response)
      }
      yield* framesOf(response, signal, options)
    },
    cancel: (thread, run, { signal }) =>
      call(`${pathOf(thread)}/runs/${segment(run)}/cancel`, { method: 'POST', signal }),
    state: (thread, { checkpointId, signal } = {}) =>
      call<GraphState>(`${pathOf(thread)}/state${query({ checkpointId })}`, { signal }),
    history: (thread, { limit, before, signal } = {}) =>
      call<GraphState[]>(`${pathOf(thread)}/history${query({ limit, before })}`, { signal }),
    update: (thread, update, { asNode, checkpointId, signal } = {}) =>
      call(`${pathOf(thread)}/state`, { method: 'POST', body: { update, asNode, checkpointId }, signal }),
    wait: (thread, start, { signal }) => call(`${pathOf(thread)}/runs?wait=1`, { method: 'POST', body: start, signal }),
    threads: {
      list: ({ limit, cursor, signal } = {}) => call<ThreadPage>(`/v1/threads${query({ limit, cursor })}`, { signal }),
      create: (thread, { signal } = {}) => call<ThreadInfo>('/v1/threads', { method: 'POST', body: thread, signal }),
      get: (id, { signal } = {}) => call<ThreadInfo>(pathOf(id), { signal }),
      delete: (id, { signal } = {}) => call(pathOf(id), { method: 'DELETE', signal }),
      fork: (id, fork = {}, { signal } = {}) => call(`${pathOf(id)}/fork`, { method: 'POST', body: fork, signal }),
    },
  }
}

interface RequestDetails {
  method: string
  accept: string
  body?: unknown
  signal?: AbortSignal | undefined
}

/** Sends a request and resolves with any answer at all; without one it throws `DISCONNECTED`. */
function sender({ url, headers, credentials = 'same-origin', fetch: given }: FetchTransportOptions) {
  const base = url.replace(/\/+$/, '')
  return async (path: string, { method, accept, body, signal }: RequestDetails): Promise<Response> => {
    const init: RequestInit = {
      method,
      credentials,
      cache: 'no-store',
      // Followed redirects would carry the caller's headers to wherever they lead.
      redirect: 'manual',
      ...(body !== undefined && { body: toJsonText(body) }),
      ...(signal && { signal }),
    }
    const once = async (rejected: boolean) => {
      const own = await headersOf(headers, rejected)
      const type = body === undefined ? undefined : { 'content-type': 'application/json' }
      return (given ?? fetch)(base + path, { ...init, headers: { ...own, accept, ...type } })
    }
    try {
      const response = await once(false)
      if (response.status !== 401 || typeof headers !== 'function') return response
      discardBody(response)
      return await once(true)
    } catch (error) {
      throw lost(error, signal)
    }
  }
}

/** The caller's headers for one request. */
export async function headersOf(given: FetchTransportOptions['headers'], rejected: boolean): Promise<Headers> {
  return (typeof given === 'function' ? await given({ rejected }) : given) ?? {}
}

/** A stream's request: a run is posted, a thread is read. */
function streamRequest(
  { thread, start, until, filter = {} }: OpenRequest,
  after: string | undefined,
  signal: AbortSignal,
): [string, RequestDetails] {
  const accept = 'text/event-stream'
  if (start !== undefined) {
    return [`${pathOf(thread)}/runs`, { method: 'POST', body: { ...start, after }, accept, signal }]
  }
  const { namespaces = [], nodes = [], tags = [] } = filter
  const search = query({ after, until, ns: namespaces.map(formatNamespace), node: nodes, tag: tags })
  return [`${pathOf(thread)}/events${search}`, { method: 'GET', accept, signal }]
}

/** The frames of a body; what came in one piece is one frame, as it is folded at once. */
async function* framesOf(
  response: Response,
  signal: AbortSignal,
  options: FetchTransportOptions,
): AsyncGenerator<Frame> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
  if (!isStream || response.body === null) {
    discardBody(response)
    throw new RivuletError('PROTOCOL_MISMATCH', `${addressOf(response)} did not answer with an event stream`)
  }
  const decoder = createFrameDecoder(options)
  const reader = response.body.getReader()
  const close = () => void reader.cancel().catch(() => {})
  // A body that was made by hand, as by a mocked `fetch`, does not end with the signal by itself.
  signal.addEventListener('abort', close)
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => Promise.reject(lost(error, signal)))
      signal.throwIfAborted()
      if (done) return decoder.end()
      yield* joined(decoder.push(value))
    }
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}

function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = []
  for (const frame of frames) {
    const last = result.at(-1)
    if (frame.type === 'events' && last?.type === 'events' && last.log === frame.log) {
      result[result.length - 1] = { ...last, events: [...last.events, ...frame.events] }
    } else result.push(frame)
  }
  return result
}

function lost(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason
  return toRivuletError(error, 'DISCONNECTED', { retryable: true })
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json()
  } catch (cause) {
    throw new RivuletError('PROTOCOL_MISMATCH', `${addressOf(response)} did not answer with JSON`, { cause })
  }
}

function toJsonText(body: unknown): string {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw new RivuletError('UNSERIALIZABLE', 'what is to be sent cannot be written as JSON', { cause })
  }
}

function pathOf(thread: string): string {
  return `/v1/threads/${segment(thread)}`
}

function segment(id: string): string {
  // `encodeURIComponent` leaves dots as they are, and a path is shortened at `.` and `..` on its way.
  if (/^\.*$/.test(id)) throw new RivuletError('INVALID_INPUT', `${JSON.stringify(id)} cannot be an id`)
  return encodeURIComponent(id)
}

type QueryValue = string | number | readonly string[] | undefined

function query(fields: Readonly<Record<string, QueryValue>>): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(fields)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one))
  }
  const text = search.toString()
  return text === '' ? '' : `?${text}`
}
