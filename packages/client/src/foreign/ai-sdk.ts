import { createAiSdkDecoder, writeUiMessages } from '@rivulet/protocol/wires/ai-sdk'
import { segment } from '../transports/http.ts'
import type { Transport } from '../transports/transport.ts'
import { chatTransport, readEvents, type ChatRequest, type ChatStreamOptions } from './chat.ts'

/** How to reach a backend of the AI SDK. */
export interface AiSdkOptions extends Omit<ChatStreamOptions, 'url'> {
  /** Its route, e.g. `/api/chat`. */
  api: string
  /**
   * Whether the backend tells an answer again: `GET <api>/<thread>/stream`, 204 when there is none, as the AI SDK's
   * resumable streams do. A lost connection is then resumed. Default `false`.
   */
  resume?: boolean | undefined
  /** What is sent. Default: what `useChat` sends, `{ id, messages, trigger }`. */
  body?: ((request: ChatRequest) => unknown) | undefined
}

/** A route that answers with the AI SDK's UI message stream, as `useChat` uses it. */
export function aiSdk({ api, body = bodyOf, resume = false, ...options }: AiSdkOptions): Transport {
  return chatTransport({
    read: (request, signal) => readEvents({ ...options, url: api }, { body: body(request) }, signal),
    ...(resume && {
      resume: ({ thread }: ChatRequest, signal: AbortSignal) =>
        readEvents({ ...options, url: `${api}/${segment(thread)}/stream` }, {}, signal),
    }),
    decoder: createAiSdkDecoder,
  })
}

function bodyOf({ thread, messages, toolCalls }: ChatRequest): object {
  return { id: thread, messages: writeUiMessages(messages, toolCalls), trigger: 'submit-message' }
}
