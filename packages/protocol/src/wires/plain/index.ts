export type { ChatDecoder } from '../chat-writer.ts'
export { createPlainDecoder, type PlainFrame, type PlainToRead } from './decode.ts'
export { createPlainEncoder, type PlainEncoder } from './encode.ts'
