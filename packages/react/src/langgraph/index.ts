export type { LegacyMessage, LegacyToolCall } from './legacy-message.ts'
export type { LegacySubmitOptions } from './legacy-submit.ts'
export {
  useStream,
  type LegacyEventContext,
  type LegacyOptions,
  type LegacySource,
  type LegacyStream,
} from './use-legacy-stream.ts'
export type { MessageMetadata } from './message-metadata.ts'
