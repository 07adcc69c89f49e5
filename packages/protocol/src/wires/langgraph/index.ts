export { createLangGraphDecoder, type LangGraphDecoder } from './decode-classic.ts'
export {
  createLangGraphEncoder,
  type LangGraphEncoder,
  type LangGraphEncoderOptions,
  type LangGraphMode,
  type WireBlock,
} from './encode-classic.ts'
export { eventsOfState, readLangGraphState } from './state.ts'
export type { RunToRead } from './thread-writer.ts'
