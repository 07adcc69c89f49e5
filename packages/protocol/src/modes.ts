/** What a reader can ask a stream for. `values`, `custom`, `messages`, `tools` are always recorded; the rest when the run's `modes` name them. */
export const streamModes = [
  'values',
  'updates',
  'custom',
  'messages',
  'debug',
  'tasks',
  'checkpoints',
  'tools',
] as const

/** One of {@link streamModes}. */
export type StreamMode = (typeof streamModes)[number]

/** Whether `value` names a stream mode. */
export function isStreamMode(value: unknown): value is StreamMode {
  return streamModes.includes(value as StreamMode)
}

/** Modes whose events a run records even when nobody named them. */
export const alwaysRecorded: readonly StreamMode[] = ['values', 'custom', 'messages', 'tools']
