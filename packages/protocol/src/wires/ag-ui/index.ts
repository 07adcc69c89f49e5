export type { ChatDecoder, ChatToRead } from '../chat-writer.ts'
export { createAgUiDecoder } from './decode.ts'
