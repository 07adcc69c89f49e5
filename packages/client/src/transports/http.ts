import { RivuletError, toRivuletError } from '@rivulet/protocol'
import { addressOf, discardBody, errorOfResponse } from './http-error.ts'

type Headers = Readonly<Record<string, string>>

/** How to reach an HTTP backend. */
export interface HttpOptions {
  /** Base address, e.g. `https://example.com/agents`. */
  url: string
  /** Sent with every request. A function is asked before each; once more, `rejected`, when they were answered 401. */
  headers?: Headers | ((why: { rejected: boolean }) => Headers | Promise<Headers>) | undefined
  /** As of `fetch`. Default `same-origin`. */
  credentials?: RequestCredentials | undefined
  /** Used in place of the global `fetch`. */
  fetch?: typeof fetch | undefined
}

/** One request. */
export interface RequestDetails {
  /** Default `GET`, and `POST` with a body. */
  method?: string | undefined
  /** Default `application/json`. */
  accept?: string | undefined
  headers?: Headers | undefined
  /** Written as JSON. */
  body?: unknown
  signal?: AbortSignal | undefined
}

/** Sends requests to one backend. */
export interface Http {
  /** Resolves with any answer at all. Throws `DISCONNECTED` without one, `UNSERIALIZABLE` for a body that is no JSON. */
  readonly send: (path: string, details?: RequestDetails) => Promise<Response>
  /** The JSON that is answered; `undefined` for 204. Throws what another answer than 2xx stands for. */
  readonly call: <T>(path: string, details?: RequestDetails) => Promise<T>
}

/** Requests to the backend at `url`. */
export function createHttp({ url, headers, credentials = 'same-origin', fetch: given }: HttpOptions): Http {
  const base = url.replace(/\/+$/, '')
  const send: Http['send'] = async (path, details = {}) => {
    const { body, signal, accept = 'application/json', method = body === undefined ? 'GET' : 'POST' } = details
    const text = jsonText(body)
    const once = async (rejected: boolean) => {
      const own = await headersOf(headers, rejected)
      return (given ?? fetch)(base + path, {
        method,
        credentials,
        cache: 'no-store',
        // Followed redirects would carry the caller's headers to wherever they lead.
        redirect: 'manual',
        body: text ?? null,
        signal: signal ?? null,
        headers: { ...own, ...details.headers, accept, ...(text && { 'content-type': 'application/json' }) },
      })
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
  return {
    send,
    async call<T>(path: string, details?: RequestDetails) {
      const response = await send(path, details)
      if (!response.ok) throw await errorOfResponse(response)
      try {
        // What the backend answers on this route.
        return (response.status === 204 ? undefined : await response.json()) as T
      } catch (cause) {
        throw unexpected(response, 'JSON', cause)
      }
    },
  }
}

/** The caller's headers for one request. */
export async function headersOf(given: HttpOptions['headers'], rejected: boolean): Promise<Headers> {
  return (typeof given === 'function' ? await given({ rejected }) : given) ?? {}
}

/** The pieces of an event stream's body. Throws `PROTOCOL_MISMATCH` when the answer is no such stream. */
export async function* eventStreamOf(response: Response, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  if (!response.body || !response.headers.get('content-type')?.startsWith('text/event-stream')) {
    discardBody(response)
    throw unexpected(response, 'an event stream')
  }
  const reader = response.body.getReader()
  const close = () => void reader.cancel().catch(() => {})
  // A body that was made by hand, as by a mocked `fetch`, does not end with the signal by itself.
  signal.addEventListener('abort', close)
  try {
    for (;;) {
      const { done, value } = await reader.read().catch((error: unknown) => Promise.reject(lost(error, signal)))
      signal.throwIfAborted()
      if (done) return
      yield value
    }
  } finally {
    signal.removeEventListener('abort', close)
    close()
  }
}

/** An id as a part of a path. Throws `INVALID_INPUT` for one that no path can hold. */
export function segment(id: string): string {
  // `encodeURIComponent` leaves dots as they are, and a path is shortened at `.` and `..` on its way.
  if (/^\.*$/.test(id)) throw new RivuletError('INVALID_INPUT', `${JSON.stringify(id)} cannot be an id`)
  return encodeURIComponent(id)
}

function lost(error: unknown, signal?: AbortSignal): unknown {
  if (signal?.aborted) return signal.reason
  return toRivuletError(error, 'DISCONNECTED', { retryable: true })
}

function unexpected(response: Response, expected: string, cause?: unknown): RivuletError {
  return new RivuletError('PROTOCOL_MISMATCH', `${addressOf(response)} did not answer with ${expected}`, { cause })
}

function jsonText(body: unknown): string | undefined {
  try {
    return JSON.stringify(body)
  } catch (cause) {
    throw new RivuletError('UNSERIALIZABLE', 'the body is no JSON', { cause })
  }
}
