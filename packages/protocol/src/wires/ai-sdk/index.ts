export type { ChatDecoder, ChatToRead } from '../chat-writer.ts'
export { createAiSdkDecoder } from './decode.ts'
export { createAiSdkEncoder, type AiSdkEncoder } from './encode.ts'
export { writeUiMessages, type UiMessage } from './ui-message.ts'
