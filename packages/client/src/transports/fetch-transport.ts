import { createFrameDecoder, formatNamespace, type Frame, type RivuletEvent } from '@rivulet/protocol'
import { createHttp, eventStreamOf, segment, type HttpOptions } from './http.ts'
import { errorOfResponse, retryAfterOf } from './http-error.ts'
import type { HistoryOptions, StateRequest, Transport } from './transport.ts'

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
    async *open({ thread, start, until, filter: { namespaces, nodes, tags } = {} }, { signal, after }) {
      // A run is posted, a thread is read.
      const path = start
        ? at(thread, '/runs')
        : at(thread, '/events', { after, until, ns: namespaces?.map(formatNamespace), node: nodes, tag: tags })
      const response = await send(path, { accept: 'text/event-stream', body: start && { ...start, after }, signal })
      if (!response.ok) {
        const delayMs = retryAfterOf(response, Date.now())
        if (delayMs !== undefined) yield { type: 'retry', delayMs }
        throw await errorOfResponse(response)
      }
      const decoder = createFrameDecoder(options)
      for await (const bytes of eventStreamOf(response, signal)) yield* joined(decoder.push(bytes))
      decoder.end()
    },
    cancel: (thread, run, { signal }) => call(at(thread, `/runs/${segment(run)}/cancel`), { method: 'POST', signal }),
    state: (thread, { signal, ...asked } = {}) => call(at(thread, '/state', queryOf(asked)), { signal }),
    history: (thread, { signal, ...asked } = {}) => call(at(thread, '/history', queryOf(asked)), { signal }),
    update: (thread, update, { signal, ...place } = {}) =>
      call(at(thread, '/state'), { body: { update, ...place }, signal }),
    wait: (thread, start, { signal }) => call(at(thread, '/runs?wait=1'), { body: start, signal }),
    threads: {
      list: ({ limit, cursor, signal } = {}) => call(`/v1/threads${query({ limit, cursor })}`, { signal }),
      create: (thread, { signal } = {}) => call('/v1/threads', { body: thread, signal }),
      get: (id, { signal } = {}) => call(at(id), { signal }),
      delete: (id, { signal } = {}) => call(at(id), { method: 'DELETE', signal }),
      fork: (id, fork = {}, { signal } = {}) => call(at(id, '/fork'), { body: fork, signal }),
    },
  }
}

/** What came in one piece is one frame, as it is folded at once. */
function joined(frames: readonly Frame[]): Frame[] {
  const result: Frame[] = []
  for (const frame of frames) {
    const last = result.at(-1)
    if (frame.type !== 'events' || last?.type !== 'events' || last.log !== frame.log) result.push(frame)
    // The lists were made by our own decoder, and nobody else has them yet.
    else for (const event of frame.events) (last.events as RivuletEvent[]).push(event)
  }
  return result
}

/** Which states are meant, as the routes have it. */
function queryOf({ ns, subgraphs, outline, ...rest }: Omit<StateRequest & HistoryOptions, 'signal'>): Query {
  const flag = (isSet?: boolean) => (isSet ? 1 : undefined)
  return { ...rest, ns: ns && formatNamespace(ns), subgraphs: flag(subgraphs), outline: flag(outline) }
}

type Query = Readonly<Record<string, string | number | readonly string[] | undefined>>

/** What stands at `rest` of a thread. */
function at(thread: string, rest: string = '', fields: Query = {}): string {
  return `/v1/threads/${segment(thread)}${rest}${query(fields)}`
}

function query(fields: Query): string {
  const pairs = Object.entries(fields).flatMap(([name, value = []]) => [value].flat().map((one) => [name, `${one}`]))
  return pairs.length > 0 ? `?${new URLSearchParams(pairs)}` : ''
}
