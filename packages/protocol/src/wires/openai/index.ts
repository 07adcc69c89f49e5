export type { ChatDecoder, ChatToRead } from '../chat-writer.ts'
export { createOpenAiChatDecoder } from './decode-chat.ts'
export { createOpenAiResponsesDecoder } from './decode-responses.ts'
