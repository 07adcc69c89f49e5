import { fromAsyncIterable, type ChatModel, type ChatOptions, type MessageChunk } from '@rivulet/core'
import { RivuletError, type Message } from '@rivulet/protocol'
import { chatForm, responsesForm } from '../conversation/asked-form.ts'
import { missingPeer } from '../missing-peer.ts'
import { noAnswer, providerError, truncatedAnswer } from '../provider-error.ts'
import { defined, fieldsOf, listOf, type Fields } from '../read-fields.ts'
import { chatChunk, chatCompletion } from './chat-chunks.ts'
import { chatRequest } from './chat-request.ts'
import { responseEvents, ResponsesReader } from './responses-chunks.ts'
import { responsesRequest } from './responses-request.ts'

/** What is used of a client of the package `openai`. */
export interface OpenAiClient {
  readonly chat: { readonly completions: { create(body: never, options?: never): PromiseLike<unknown> } }
  readonly responses: { create(body: never, options?: never): PromiseLike<unknown> }
}

/** How one of OpenAI's models is called. Beside it, options for every call, as any model takes them. */
export interface OpenAiOptions extends ChatOptions {
  /** Which of the two APIs. Default: `chat`, chat completions. */
  api?: 'chat' | 'responses'
  /** Default: the environment's `OPENAI_API_KEY`. */
  apiKey?: string
  /** Address of the API, with its version. Default: the environment's `OPENAI_BASE_URL`, else OpenAI's own. */
  baseURL?: string
  /** Further fields of the request, as the API names them: `temperature`, `max_completion_tokens`, `reasoning`. They win. */
  body?: Readonly<Record<string, unknown>>
  /** A client of your own, in place of one made from the key and the address. */
  client?: OpenAiClient
}

/** How a model of an OpenAI-compatible server is called. */
export interface OpenAiCompatibleOptions extends OpenAiOptions {
  /** Name of the model. */
  model: string
  baseURL: string
}

/**
 * One of OpenAI's models, over the package `openai` (an optional peer, loaded with the first call). The package's own
 * retries are off in the client made here: {@link withRetry} does that where readers see it.
 *
 * A call that fails is `PROVIDER_FAILED`, with a sentence for people; what the provider said is its `cause`. An answer whose
 * connection ends before it does fails, too. A call that is stopped closes its connection and fails with the signal's
 * reason. `UNSUPPORTED` when the package is not installed.
 */
export function openai(model: string, options: OpenAiOptions = {}): ChatModel {
  const { api = 'chat', apiKey, baseURL, body = {}, client, ...defaults } = options
  let loading: Promise<OpenAiClient> | undefined
  const clientOf = async () => client ?? (loading ??= createClient({ apiKey, baseURL }).catch(forgetAndThrow))
  const forgetAndThrow = (error: unknown) => {
    loading = undefined
    throw error
  }
  const speak = api === 'responses' ? speakResponses : speakChat
  return fromAsyncIterable(
    async function* (messages, call) {
      try {
        yield* speak({ client: await clientOf(), model, body, messages, call })
      } catch (error) {
        throw providerError(error, call.signal)
      }
    },
    { name: model, ...defaults },
  )
}

/**
 * A model of any server that speaks OpenAI's chat completions. Like {@link openai}, except that the environment is not
 * asked: without `apiKey` the server gets the key `none`.
 */
export function openaiCompatible({ model, apiKey = 'none', ...options }: OpenAiCompatibleOptions): ChatModel {
  return openai(model, { ...options, apiKey })
}

async function createClient({
  apiKey,
  baseURL,
}: {
  apiKey: string | undefined
  baseURL: string | undefined
}): Promise<OpenAiClient> {
  const { default: OpenAI } = await import('openai').catch(missingPeer('openai', 'openai()'))
  const client = { maxRetries: 0, ...(apiKey !== undefined && { apiKey }), ...(baseURL !== undefined && { baseURL }) }
  try {
    return new OpenAI(client)
  } catch (error) {
    throw new RivuletError('INVALID_INPUT', 'openai() needs an API key: pass apiKey or set OPENAI_API_KEY', {
      cause: error,
    })
  }
}

interface Speaking {
  readonly client: OpenAiClient
  readonly model: string
  readonly body: Fields
  readonly messages: readonly Message[]
  readonly call: ChatOptions
}

async function* speakChat({ client, model, body, messages, call }: Speaking): AsyncGenerator<MessageChunk> {
  const { streaming = true, tools = [], signal } = call
  const request = { model, ...chatRequest(messages, tools), ...chatForm(call), ...(streaming && STREAMED), ...body }
  const { completions } = client.chat
  const answer = await post((options) => completions.create(request as never, options as never), signal)
  if (!streaming) {
    if (listOf(fieldsOf(answer)['choices']).length === 0) throw noAnswer(answer)
    yield chatCompletion(fieldsOf(answer))
    return
  }
  let finished = false
  let begun = false
  let named = false
  for await (const part of eventsOf(answer)) {
    const { id, metadata, ...chunk } = chatChunk(part)
    finished ||= chunk.finishReason !== undefined
    begun = true
    // Every chunk repeats which answer of which model it is of; Azure's first, about its filters, does not say.
    yield named ? chunk : defined({ id, metadata, ...chunk })
    named ||= id !== undefined
  }
  checkEnd({ begun, finished }, signal)
}

const STREAMED = { stream: true, stream_options: { include_usage: true } }

async function* speakResponses({ client, model, body, messages, call }: Speaking): AsyncGenerator<MessageChunk> {
  const { streaming = true, tools = [], signal } = call
  const stored = body['store'] !== false
  const asked = { ...responsesRequest(messages, tools, stored), ...responsesForm(call) }
  const request = { model, ...asked, ...(streaming && { stream: true }), ...body }
  const answer = await post((options) => client.responses.create(request as never, options as never), signal)
  if (!streaming && !isResponse(fieldsOf(answer))) throw noAnswer(answer)
  const reader = new ResponsesReader()
  let begun = false
  for await (const event of streaming ? eventsOf(answer) : responseEvents(fieldsOf(answer))) {
    begun = true
    yield reader.read(event)
  }
  checkEnd({ begun, finished: reader.ended }, signal)
}

function isResponse({ output, status }: Fields): boolean {
  return Array.isArray(output) || typeof status === 'string'
}

/** The package's types differ from version to version; requests are built, and answers read, field by field. */
function post(send: (options: object) => PromiseLike<unknown>, signal: AbortSignal | undefined): PromiseLike<unknown> {
  return send(signal === undefined ? {} : { signal })
}

/** What the package streams; leaving the loop closes the connection. */
async function* eventsOf(answer: unknown): AsyncGenerator<Fields, void, undefined> {
  for await (const event of answer as AsyncIterable<unknown>) yield fieldsOf(event)
}

/** The package ends its loop in silence when it is stopped or when the body ends early. */
function checkEnd({ begun, finished }: { begun: boolean; finished: boolean }, signal: AbortSignal | undefined): void {
  signal?.throwIfAborted()
  if (!finished) throw truncatedAnswer(begun)
}
