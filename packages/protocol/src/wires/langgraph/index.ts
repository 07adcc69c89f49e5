export { createAgentStreamDecoder, type AgentStreamDecoder } from './decode-agent-stream.ts'
export { createAgentStreamEncoder, type AgentStreamEncoder, type AgentStreamFrame } from './encode-agent-stream.ts'
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
export { writeMessages } from './write-dict.ts'
