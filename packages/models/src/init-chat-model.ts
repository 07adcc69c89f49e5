import type { ChatModel, ChatOptions } from '@rivulet/core'
import { RivuletError } from '@rivulet/protocol'
import { anthropic, type AnthropicOptions } from './anthropic/anthropic.ts'
import { openai, type OpenAiOptions } from './openai/openai.ts'

/** Options of the provider that a model's name begins with. */
export type InitOptions<Name extends string> = Name extends `openai:${string}` | `openai-responses:${string}`
  ? Omit<OpenAiOptions, 'api'>
  : Name extends `anthropic:${string}`
    ? AnthropicOptions
    : ChatOptions

const providers: Readonly<Record<string, (model: string, options: object) => ChatModel>> = {
  openai: (model, options) => openai(model, options),
  'openai-responses': (model, options) => openai(model, { ...options, api: 'responses' }),
  anthropic: (model, options) => anthropic(model, options),
}

/**
 * A model by its provider's name and its own: `openai:gpt-4o-mini`, `openai-responses:o4-mini`, `anthropic:claude-haiku-4-5`. Takes the
 * options of {@link openai} or {@link anthropic}. Throws `INVALID_INPUT` for a name of another form, or a provider that is not
 * known.
 */
export function initChatModel<const Name extends string>(
  name: Name,
  options: InitOptions<Name> = {} as InitOptions<Name>,
): ChatModel {
  const colon = name.indexOf(':')
  const provider = name.slice(0, Math.max(colon, 0))
  const model = name.slice(colon + 1)
  const create = Object.hasOwn(providers, provider) ? providers[provider] : undefined
  if (create === undefined || model === '') {
    const how = `write <provider>:<model>, with one of ${Object.keys(providers).join(', ')}`
    const others = 'openaiCompatible(), fromAiSdk() and fromLangChain() make models of others'
    throw new RivuletError('INVALID_INPUT', `"${name}" names no model: ${how}; ${others}`)
  }
  return create(model, options)
}
