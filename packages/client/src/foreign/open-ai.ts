import { createOpenAiChatDecoder, createOpenAiResponsesDecoder } from '@rivulet/protocol/wires/openai'
import type { Transport } from '../transports/transport.ts'
import { chatTransport, readEvents, type ChatRequest, type ChatStreamOptions } from './chat.ts'

/** How to reach an endpoint of OpenAI's API, or of one of the many that speak it. */
export interface OpenAiStreamOptions extends ChatStreamOptions {
  /** The endpoint itself, mostly a route of your own server that holds the key. */
  url: string
  /** Which of its streams it sends. Default `chat`. */
  protocol?: 'chat' | 'responses' | undefined
  /** Sent along. */
  model?: string | undefined
  /** What is sent. Default: `{ model, stream: true, messages }`, with `input` in place of `messages` for `responses`. */
  body?: ((request: ChatRequest) => unknown) | undefined
}

/** A stream of OpenAI's chat completions or responses. */
export function openAiStream(options: OpenAiStreamOptions): Transport {
  const { protocol = 'chat', model, body } = options
  const bodyOf = ({ messages }: ChatRequest): object => {
    const said = messages.map(({ role, content }) => ({ role, content }))
    return { model, stream: true, ...(protocol === 'chat' ? { messages: said } : { input: said }) }
  }
  return chatTransport({
    read: (request, signal) => readEvents(options, { body: (body ?? bodyOf)(request) }, signal),
    decoder: protocol === 'chat' ? createOpenAiChatDecoder : createOpenAiResponsesDecoder,
  })
}
