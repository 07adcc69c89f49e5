import { fromAsyncIterable, type ChatModel, type ChatOptions, type MessageChunk } from '@rivulet/core'
import { RivuletError, type Message } from '@rivulet/protocol'
import { messagesForm } from '../conversation/asked-form.ts'
import { missingPeer } from '../missing-peer.ts'
import { noAnswer, providerError, truncatedAnswer } from '../provider-error.ts'
import { fieldsOf, type Fields } from '../read-fields.ts'
import { messageEvents, MessagesReader } from './messages-chunks.ts'
import { messagesRequest } from './messages-request.ts'

/** What is used of a client of the package `@anthropic-ai/sdk`. */
export interface AnthropicClient {
  readonly messages: { create(body: never, options?: never): PromiseLike<unknown> }
}

/** How one of Anthropic's models is called. Beside it, options for every call, as any model takes them. */
export interface AnthropicOptions extends ChatOptions {
  /** Default: the environment's `ANTHROPIC_API_KEY`. */
  apiKey?: string
  /** Address of the API. Default: the environment's `ANTHROPIC_BASE_URL`, else Anthropic's own. */
  baseURL?: string
  /** Most tokens of an answer, which the API wants to be told. Default 4096. */
  maxTokens?: number
  /** Further fields of the request, as the API names them: `temperature`, `thinking`, `tool_choice`. They win. */
  body?: Readonly<Record<string, unknown>>
  /** A client of your own, in place of one made from the key and the address. */
  client?: AnthropicClient
}

/**
 * One of Anthropic's models, over the package `@anthropic-ai/sdk` (an optional peer, loaded with the first call). The
 * package's own retries are off in the client made here: {@link withRetry} does that where readers see it. Thinking goes
 * back to the model with its signature, before the message's text and calls.
 *
 * Fails as {@link openai} does.
 */
export function anthropic(model: string, options: AnthropicOptions = {}): ChatModel {
  const { apiKey, baseURL, maxTokens = 4096, body = {}, client, ...defaults } = options
  let loading: Promise<AnthropicClient> | undefined
  const forgetAndThrow = (error: unknown) => {
    loading = undefined
    throw error
  }
  const clientOf = async () => client ?? (loading ??= createClient({ apiKey, baseURL }).catch(forgetAndThrow))
  return fromAsyncIterable(
    async function* (messages, call) {
      try {
        const request = { model, max_tokens: maxTokens, ...requestOf(messages, call), ...body }
        yield* speak(await clientOf(), request, call)
      } catch (error) {
        throw providerError(isWithoutKey(error) ? withoutKey(error) : error, call.signal)
      }
    },
    { name: model, ...defaults },
  )
}

async function createClient({
  apiKey,
  baseURL,
}: {
  apiKey: string | undefined
  baseURL: string | undefined
}): Promise<AnthropicClient> {
  const { default: Anthropic } = await import('@anthropic-ai/sdk').catch(
    missingPeer('@anthropic-ai/sdk', 'anthropic()'),
  )
  const client = { maxRetries: 0, ...(apiKey !== undefined && { apiKey }), ...(baseURL !== undefined && { baseURL }) }
  try {
    return new Anthropic(client)
  } catch (error) {
    throw withoutKey(error)
  }
}

/** Some versions of the package ask for a key when they are made, others with the first call, in no class of error of its own. */
function isWithoutKey(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Could not resolve authentication method')
}

function withoutKey(cause: unknown): RivuletError {
  const how = 'anthropic() needs an API key: pass apiKey or set ANTHROPIC_API_KEY'
  return new RivuletError('INVALID_INPUT', how, { cause })
}

function requestOf(messages: readonly Message[], call: ChatOptions): Fields {
  const { tools = [], streaming = true } = call
  return { ...messagesRequest(messages, tools), ...messagesForm(call), ...(streaming && { stream: true }) }
}

async function* speak(
  client: AnthropicClient,
  request: Fields,
  { signal, streaming = true }: ChatOptions,
): AsyncGenerator<MessageChunk> {
  // The package's types differ from version to version; requests are built, and answers read, field by field.
  const answer = await client.messages.create(request as never, (signal === undefined ? {} : { signal }) as never)
  const reader = new MessagesReader()
  let begun = false
  for await (const event of streaming ? (answer as AsyncIterable<unknown>) : eventsOf(answer)) {
    begun = true
    yield reader.read(fieldsOf(event))
  }
  // The package ends its loop in silence when it is stopped or when the body ends early.
  signal?.throwIfAborted()
  if (!reader.ended) throw truncatedAnswer(begun)
}

function eventsOf(answer: unknown): readonly Fields[] {
  const message = fieldsOf(answer)
  if (!Array.isArray(message['content'])) throw noAnswer(answer)
  return messageEvents(message)
}
