import {
  formatCursor,
  messageIdsOf,
  messagesOf,
  type Message,
  type RivuletError,
  type ThreadState,
} from '@rivulet/protocol'
import type { ConnectionHealth } from '../connection/health.ts'
import type { StartRequest } from '../transports/transport.ts'
import { memo } from './memo.ts'
import type { Outgoing } from './outbox.ts'

/** All a thread store knows at one moment. Immutable: a change makes a new one that shares the rest. */
export interface ThreadFacts {
  readonly threadId: string | undefined
  /** What the thread's events add up to. */
  readonly state: ThreadState
  /** Messages on their way, laid over those of the state. */
  readonly outbox: readonly Outgoing[]
  /** Runs that were asked for and have not begun, in order. */
  readonly starts: readonly StartRequest[]
  /** What failed on this side: a run that could not be started, a connection that was given up. */
  readonly failure: RivuletError | undefined
  readonly connection: ConnectionHealth
  /** State key of the message list. */
  readonly messagesKey: string
  /** Shown until the thread's own values are there. */
  readonly initialValues: Readonly<Record<string, unknown>> | undefined
}

const NO_MESSAGES: readonly Message[] = []
const idsOf: (messages: readonly Message[]) => readonly string[] = memo((messages) => messages.map(({ id }) => id))

/** Whether the thread's own state is not there yet, so that the initial values stand in for it. */
export function isUnread({ state }: ThreadFacts): boolean {
  return !state.spaces.has('')
}

/** Messages among the initial values. */
export function initialMessages({ initialValues, messagesKey }: ThreadFacts): readonly Message[] {
  const messages = initialValues?.[messagesKey]
  // The caller's own values: what stands under the messages' key is a list of messages or nothing.
  return Array.isArray(messages) ? (messages as readonly Message[]) : NO_MESSAGES
}

/** The page's messages without those on their way. */
export function receivedMessages(facts: ThreadFacts): readonly Message[] {
  return isUnread(facts) ? initialMessages(facts) : messagesOf(facts.state, { key: facts.messagesKey })
}

/** Ids of {@link receivedMessages}; the same array while it is the same list. */
export function receivedIds(facts: ThreadFacts): readonly string[] {
  return isUnread(facts) ? idsOf(initialMessages(facts)) : messageIdsOf(facts.state, { key: facts.messagesKey })
}

/** Where to go on reading; `undefined` asks for a snapshot: nothing was read yet, or something is missing. */
export function cursorOf({ log, cursor, gap }: ThreadState): string | undefined {
  return log === '' || gap !== undefined ? undefined : formatCursor(log, cursor)
}
