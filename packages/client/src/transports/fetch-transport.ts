import { createFrameDecoder, formatNamespace, type Frame, type GraphState, type RivuletEvent } from '@rivulet/protocol'
import { createHttp, eventStreamOf, segment, type HttpOptions, type RequestDetails } from './http.ts'
import { errorOfResponse, retryAfterOf } from './http-error.ts'
import type { OpenRequest, ThreadInfo, ThreadPage, Transport } from './transport.ts'

/** How to reach our server; the routes begin with `/v1` below `url`. */
export interface FetchTransportOptions extends HttpOptions {
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
  const { send, call } = createHttp(options)
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
    history: (thread, { limit, before, outline, signal } = {}) =>
      call<GraphState[]>(`${pathOf(thread)}/history${query({ limit, before, outline: outline ? 1 : undefined })}`, {
        signal,
      }),
    update: (thread, update, { asNode, checkpointId, signal } = {}) =>
      call(`${pathOf(thread)}/state`, { body: { update, asNode, checkpointId }, signal }),
    wait: (thread, start, { signal }) => call(`${pathOf(thread)}/runs?wait=1`, { body: start, signal }),
    threads: {
      list: ({ limit, cursor, signal } = {}) => call<ThreadPage>(`/v1/threads${query({ limit, cursor })}`, { signal }),
      create: (thread, { signal } = {}) => call<ThreadInfo>('/v1/threads', { body: thread, signal }),
      get: (id, { signal } = {}) => call<ThreadInfo>(pathOf(id), { signal }),
      delete: (id, { signal } = {}) => call(pathOf(id), { method: 'DELETE', signal }),
      fork: (id, fork = {}, { signal } = {}) => call(`${pathOf(id)}/fork`, { body: fork, signal }),
    },
  }
}

/** A stream's request: a run is posted, a thread is read. */
function streamRequest(
  { thread, start, until, filter = {} }: OpenRequest,
  after: string | undefined,
  signal: AbortSignal,
): [string, RequestDetails] {
  const accept = 'text/event-stream'
  if (start !== undefined) {
    return [`${pathOf(thread)}/runs`, { body: { ...start, after }, accept, signal }]
  }
  const { namespaces = [], nodes = [], tags = [] } = filter
  const search = query({ after, until, ns: namespaces.map(formatNamespace), node: nodes, tag: tags })
  return [`${pathOf(thread)}/events${search}`, { accept, signal }]
}

/** The frames of a body; what came in one piece is one frame, as it is folded at once. */
async function* framesOf(
  response: Response,
  signal: AbortSignal,
  options: FetchTransportOptions,
): AsyncGenerator<Frame> {
  const decoder = createFrameDecoder(options)
  for await (const bytes of eventStreamOf(response, signal)) yield* joined(decoder.push(bytes))
  decoder.end()
}

function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = []
  let events: RivuletEvent[] = []
  for (const frame of frames) {
    const last = result.at(-1)
    if (frame.type !== 'events') result.push(frame)
    else {
      if (last?.type !== 'events' || last.log !== frame.log) result.push({ ...frame, events: (events = []) })
      for (const event of frame.events) events.push(event)
    }
  }
  return result
}

function pathOf(thread: string): string {
  return `/v1/threads/${segment(thread)}`
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
