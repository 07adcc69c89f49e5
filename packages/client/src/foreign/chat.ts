import {
  createSseDecoder,
  messagesOf,
  RivuletError,
  toolCallsOf,
  toRivuletError,
  type Message,
  type RunEnd,
  type RunEvent,
  type ThreadState,
  type ToolCallState,
} from '@rivulet/protocol'
import type { ChatDecoder } from '@rivulet/protocol/wires/plain'
import { createHttp, eventStreamOf, type HttpOptions, type RequestDetails } from '../transports/http.ts'
import { errorOfResponse } from '../transports/http-error.ts'
import type { StartRequest, Transport } from '../transports/transport.ts'
import { createReplay, textLength } from './replay.ts'
import { foreignStreams, type ForeignRun } from './sessions.ts'

/** What a request to a backend without threads is made of. */
export interface ChatRequest {
  thread: string
  start: StartRequest
  /** The conversation so far, with what is sent now at its end. */
  messages: readonly Message[]
  /** The text of the last of these. */
  text: string
  /** Tool calls of the conversation, with what came of them. */
  toolCalls: readonly ToolCallState[]
}

/** A backend that answers a conversation with a stream and keeps nothing. */
export interface ChatBackend {
  /** The pieces of text that the answer's stream is made of. Throws what a refusal stands for. */
  read(request: ChatRequest, signal: AbortSignal): AsyncIterable<readonly string[]>
  /** The same answer told again from its start, when the backend still has it; ends at once when it has not. */
  resume?: ((request: ChatRequest, signal: AbortSignal) => AsyncIterable<readonly string[]>) | undefined
  /** A decoder for the run, which is told what is sent with it. */
  decoder(chat: { run: string; messages: readonly Message[] }): ChatDecoder
}

/**
 * A transport for such a backend. The conversation is kept here, in the thread that is on the page. Unless the backend
 * tells an answer again, what its stream has lost cannot be had: a connection lost in the middle ends the run with
 * `DISCONNECTED`, its text kept. To stop is to stop reading.
 */
export function chatTransport(backend: ChatBackend): Transport {
  return foreignStreams({ begin: (thread, start, state) => createRun(backend, thread, start, state) })
}

function createRun(backend: ChatBackend, thread: string, start: StartRequest, state: ThreadState): ForeignRun {
  const sent = messagesIn(start.input)
  const messages = [...messagesOf(state), ...sent]
  const request = { thread, start, messages, text: messages.at(-1)?.content ?? '', toolCalls: toolCallsOf(state) }
  const decode = () => backend.decoder({ run: start.run, messages: sent })
  let decoder = decode()
  let shownLength = 0
  let isTaken = false
  let hasEnded = false

  const first = async function* (signal: AbortSignal): AsyncGenerator<readonly RunEvent[]> {
    for await (const texts of backend.read(request, signal)) {
      isTaken = true
      yield texts.flatMap((text) => decoder.push(text))
    }
  }
  const again = async function* (signal: AbortSignal): AsyncGenerator<readonly RunEvent[]> {
    const next = decode()
    const replay = createReplay(start.run, state, shownLength)
    for await (const texts of backend.resume?.(request, signal) ?? []) {
      const shown = replay.take(texts.flatMap((text) => next.push(text)))
      if (shown.length > 0) decoder = next
      yield shown
    }
  }
  return {
    stop: () => decoder.stop(),
    async *read(signal) {
      let isTold = false
      let length = 0
      let failure: RivuletError | undefined
      try {
        for await (const events of isTaken ? again(signal) : first(signal)) {
          isTold = true
          length += textLength(events)
          shownLength = Math.max(shownLength, length)
          hasEnded ||= events.some(({ type }) => type === 'run.end')
          yield events
        }
      } catch (error) {
        if (!isTaken || signal.aborted || backend.resume !== undefined) throw error
        failure = toRivuletError(error)
      }
      if (isTold && !hasEnded && backend.resume !== undefined) {
        throw new RivuletError('DISCONNECTED', 'the answer was cut off', { retryable: true, run: start.run })
      }
      yield decoder.end().map((event) => (event.type === 'run.end' ? endedBy(event, failure) : event))
    },
  }
}

/** The end of a run whose stream failed: a lost connection is what the decoder tells by itself. */
function endedBy(end: RunEnd, failure: RivuletError | undefined): RunEnd {
  if (failure === undefined || failure.code === 'DISCONNECTED') return end
  return { ...end, status: 'error', error: failure.toJSON() }
}

/** Messages of ours in what a run is given. */
function messagesIn(input: unknown): Message[] {
  const lists = typeof input === 'object' && input !== null ? Object.values(input) : []
  return lists.flatMap((list: unknown) => (Array.isArray(list) ? list.filter(isMessage) : []))
}

function isMessage(item: unknown): item is Message {
  const { id, role, content }: Partial<Record<string, unknown>> = Object(item) as object
  return typeof id === 'string' && typeof role === 'string' && typeof content === 'string'
}

/** What the streams of chat backends have in common. */
export interface ChatStreamOptions extends HttpOptions {
  /** Longest event in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
}

/** Reads the answer to a request as server-sent events; the first group is empty and says that the backend answered. */
export async function* readEvents(
  options: ChatStreamOptions,
  details: RequestDetails & { path?: string },
  signal: AbortSignal,
): AsyncGenerator<readonly string[]> {
  const { path = '', ...request } = details
  const response = await createHttp(options).send(path, { accept: 'text/event-stream', ...request, signal })
  if (!response.ok) throw await errorOfResponse(response)
  if (response.status === 204) return
  let texts: string[] = []
  const sse = createSseDecoder({ maxEventBytes: options.maxEventBytes, onEvent: ({ data }) => void texts.push(data) })
  yield texts
  for await (const bytes of eventStreamOf(response, signal)) {
    sse.push(bytes)
    yield texts
    texts = []
  }
}
