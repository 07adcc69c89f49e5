import type { ThreadStore } from '@rivulet/client'

/**
 * Checkpoints of messages that do not carry theirs, by what was read of a thread's history: after a branch was selected,
 * its messages come as the state holds them. Apart from the history, so that a page without branches does not load it.
 */
export const foundCheckpoints: WeakMap<ThreadStore, (messageId: string) => string | undefined> = new WeakMap()
