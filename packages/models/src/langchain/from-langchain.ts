import { fromAsyncIterable, type ChatModel, type ChatOptions } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { langChainForm } from '../conversation/asked-form.ts'
import { noAnswer, providerError, truncatedAnswer } from '../provider-error.ts'
import { fieldsOf, isFields, textOf } from '../read-fields.ts'
import { langChainChunk } from './chunks.ts'
import { langChainMessages, langChainTool } from './messages.ts'

/** What is used of a chat model of LangChain's: anything with these methods will do. */
export interface LangChainModel {
  stream(messages: never, options?: never): PromiseLike<AsyncIterable<unknown>>
  invoke(messages: never, options?: never): PromiseLike<unknown>
  bindTools?(tools: never, options?: never): unknown
}

/**
 * Any chat model of LangChain's, or what has its methods: `stream` answers chunks like `AIMessageChunk`. Nothing of
 * LangChain is imported. It is not told a `responseFormat`: LangChain makes another kind of object for that. Throws `UNSUPPORTED` when there are tools and the model takes none; fails as {@link openai} does.
 */
export function fromLangChain(model: LangChainModel, defaults: ChatOptions = {}): ChatModel {
  return fromAsyncIterable(
    async function* (messages, call) {
      const { signal, streaming = true } = call
      try {
        const bound = withTools(model, call)
        const conversation = langChainMessages(messages)
        // Each version of LangChain has its own types for messages and options; these fields they have in common.
        const options = (signal === undefined ? {} : { signal }) as never
        const chunks = streaming
          ? await bound.stream(conversation as never, options)
          : [await bound.invoke(conversation as never, options)]
        let begun = false
        for await (const chunk of chunks) {
          if (!isFields(chunk)) throw noAnswer(chunk)
          begun = true
          yield langChainChunk(chunk)
        }
        signal?.throwIfAborted()
        if (!begun) throw truncatedAnswer(begun)
      } catch (error) {
        throw providerError(error, signal)
      }
    },
    { name: nameOf(model), ...defaults },
  )
}

function withTools(model: LangChainModel, call: ChatOptions): LangChainModel {
  const { tools = [] } = call
  if (tools.length === 0) return model
  if (model.bindTools === undefined) {
    throw new RivuletError('UNSUPPORTED', `model "${nameOf(model)}" takes no tools: it has no bindTools`)
  }
  // What it answers is the model with tools, which has the same methods.
  return model.bindTools(tools.map(langChainTool) as never, langChainForm(call) as never) as LangChainModel
}

function nameOf(model: LangChainModel): string {
  const { model: name, modelName } = fieldsOf(model)
  return textOf(name, modelName) ?? 'langchain'
}
