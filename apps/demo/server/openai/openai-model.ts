import { fromAsyncIterable, type ChatModel, type ChatOptions, type MessageChunk, type ToolSpec } from '@rivulet/core'
import type { Message } from '@rivulet/protocol'
import OpenAI from 'openai'
import type { ChatCompletionTool } from 'openai/resources/chat/completions'
import { z } from 'zod'
import { chatMessages } from './chat-messages.ts'
import { messageChunk } from './chunks.ts'
import { providerError, truncatedAnswer } from './provider-error.ts'

/** Which model of which server. */
export interface OpenAiOptions {
  apiKey: string
  /** Name of the model. */
  name: string
  /** Address of the API, with its version. Default: OpenAI's own. */
  baseURL?: string
}

const INSTRUCTIONS =
  'You are the agent of the Rivulet demo page. Use the tools for anything they can answer, and quote what they found. ' +
  'Answer in Markdown, briefly. Histograms are drawn by the page, so do not draw them yourself.'

/**
 * A chat model over the chat completions API, streamed. What fails is `PROVIDER_FAILED` with a sentence for the page;
 * the run's retry button tries again, so the library itself does not.
 */
export function openAiModel({ apiKey, name, baseURL }: OpenAiOptions): ChatModel {
  const client = new OpenAI({ apiKey, maxRetries: 0, ...(baseURL !== undefined && { baseURL }) })
  return fromAsyncIterable((messages, options) => streamChat(client, name, messages, options), { name })
}

async function* streamChat(
  client: OpenAI,
  model: string,
  messages: readonly Message[],
  { tools = [], signal }: ChatOptions,
): AsyncGenerator<MessageChunk, void, undefined> {
  let finished = false
  try {
    const stream = await client.chat.completions.create(
      {
        model,
        stream: true,
        stream_options: { include_usage: true },
        messages: [{ role: 'system', content: INSTRUCTIONS }, ...chatMessages(messages)],
        ...(tools.length > 0 && { tools: tools.map(chatTool) }),
      },
      signal && { signal },
    )
    for await (const part of stream) {
      const chunk = messageChunk(part)
      if (chunk?.finishReason !== undefined) finished = true
      if (chunk) yield chunk
    }
  } catch (error) {
    signal?.throwIfAborted()
    throw providerError(error)
  }
  // The library ends its loop in silence when it is stopped or when the body ends early.
  signal?.throwIfAborted()
  if (!finished) throw truncatedAnswer()
}

function chatTool({ name, description, schema }: ToolSpec): ChatCompletionTool {
  // Every tool of this demo declares its arguments with zod.
  const parameters = schema instanceof z.ZodType ? (z.toJSONSchema(schema) as Record<string, unknown>) : {}
  return { type: 'function', function: { name, description, parameters } }
}
