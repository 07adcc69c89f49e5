export { type AiSdkModel, type AiSdkOptions, fromAiSdk } from './ai-sdk/from-ai-sdk.ts'
export { anthropic, type AnthropicClient, type AnthropicOptions } from './anthropic/anthropic.ts'
export { initChatModel, type InitOptions } from './init-chat-model.ts'
export { fromLangChain, type LangChainModel } from './langchain/from-langchain.ts'
export {
  openai,
  type OpenAiClient,
  openaiCompatible,
  type OpenAiCompatibleOptions,
  type OpenAiOptions,
} from './openai/openai.ts'
export { withFallback } from './resilience/with-fallback.ts'
export { type RetryOptions, withRetry } from './resilience/with-retry.ts'
