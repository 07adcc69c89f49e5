import { fromAsyncIterable, type ChatModel, type ChatOptions } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { aiSdkForm } from '../conversation/asked-form.ts'
import { noAnswer, providerError, truncatedAnswer } from '../provider-error.ts'
import { fieldsOf, type Fields } from '../read-fields.ts'
import { generatedParts, PartsReader } from './chunks.ts'
import { callOptions } from './prompt.ts'

/** What is used of a language model of the AI SDK (`@ai-sdk/provider`, interface versions 2 to 4). */
export interface AiSdkModel {
  readonly specificationVersion: string
  readonly provider: string
  readonly modelId: string
  doStream(options: never): PromiseLike<{ stream: ReadableStream<unknown> }>
  doGenerate(options: never): PromiseLike<unknown>
}

/** How a model of the AI SDK is called. Beside it, options for every call, as any model takes them. */
export interface AiSdkOptions extends ChatOptions {
  /** Further settings of the call, as the AI SDK names them: `temperature`, `maxOutputTokens`, `providerOptions`. They win. */
  call?: Readonly<Record<string, unknown>>
}

/**
 * Any language model of the AI SDK. What a provider says of its reasoning and calls (signatures) goes back to it. Calls that
 * the provider runs itself are left to it. Fails as {@link openai} does; `UNSUPPORTED` for a version of the interface that
 * is not known.
 */
export function fromAiSdk(model: AiSdkModel, { call: settings = {}, ...defaults }: AiSdkOptions = {}): ChatModel {
  const { specificationVersion: version, provider, modelId } = model
  if (!['v2', 'v3', 'v4'].includes(version)) {
    throw new RivuletError('UNSUPPORTED', `fromAiSdk knows the AI SDK's model interface v2, v3 and v4, not ${version}`)
  }
  const dialect = { taggedFiles: version === 'v4', provider }
  return fromAsyncIterable(
    async function* (messages, call) {
      const { tools = [], signal, streaming = true } = call
      try {
        const options = {
          ...callOptions(messages, tools, dialect),
          ...aiSdkForm(call),
          ...(signal && { abortSignal: signal }),
          ...settings,
        }
        const reader = new PartsReader(provider)
        let begun = false
        for await (const part of partsOf(model, options, streaming)) {
          begun = true
          yield reader.read(part)
        }
        signal?.throwIfAborted()
        if (!reader.ended) throw truncatedAnswer(begun)
      } catch (error) {
        throw providerError(error, signal)
      }
    },
    { name: modelId, ...defaults },
  )
}

/** The parts of an answer; leaving the loop closes the connection. */
async function* partsOf(model: AiSdkModel, options: Fields, streaming: boolean): AsyncGenerator<Fields> {
  // The options of each version of the interface have their own types; these fields they have in common.
  if (!streaming) {
    const answer = fieldsOf(await model.doGenerate(options as never))
    if (!Array.isArray(answer['content'])) throw noAnswer(answer)
    yield* generatedParts(answer)
    return
  }
  const { stream } = await model.doStream(options as never)
  const reader = stream.getReader()
  let ended = false
  try {
    while (!ended) {
      const { value, done } = await reader.read()
      ended = done
      if (!done) yield fieldsOf(value)
    }
  } finally {
    // Not awaited: a provider that never lets go must not hold up who has left.
    if (!ended) reader.cancel().catch(() => {})
  }
}
