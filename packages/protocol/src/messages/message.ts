import type { Namespace } from '../namespace.ts'

/** Who speaks: `tool` is a tool's answer to a call. */
export type Role = 'user' | 'assistant' | 'system' | 'tool'

/**
 * One message of a conversation: plain JSON, in the state, on the wire and on screen alike.
 * `content` is the text, always a string; `parts` is there only where there is more than text.
 */
export interface Message {
  id: string
  role: Role
  content: string
  parts?: readonly Part[]
  /** Calls the assistant asks for. `args` is JSON text as it streamed; whoever reads it parses it. */
  toolCalls?: readonly ToolCall[]
  /** On a tool's answer: the id of the call it answers. */
  toolCallId?: string
  name?: string
  /** `cut`: stopped or lost before its end. Left out in state that a graph stores. */
  status?: MessageStatus
  meta?: MessageMeta
}

/** `streaming` while tokens arrive, `done` after its end, `cut` when it was stopped or lost before its end. */
export type MessageStatus = 'streaming' | 'done' | 'cut'

/** A tool call as the model wrote it. `args` is JSON text, possibly partial while the message streams. */
export interface ToolCall {
  id: string
  name: string
  args: string
}

/**
 * A piece of a message that is more than plain text. `data` of a file is base64. A `data` part named `citation` says
 * where something comes from; one named `provider-state` is what its provider needs back to go on.
 */
export type Part =
  | { kind: 'text' | 'reasoning'; text: string }
  | { kind: 'image' | 'audio' | 'file'; mediaType: string; url?: string; data?: string; name?: string }
  | { kind: 'data'; name: string; value: unknown }

/** Where a message came from, known once for the whole message. */
export interface MessageMeta {
  node?: string
  step?: number
  namespace?: Namespace
  run?: string
  task?: string
  /** Which try of the task made it, from 1; left out when 1. */
  attempt?: number
  tags?: readonly string[]
  /** Name of the model or of the call. */
  model?: string
  /** Checkpoint its step started from: where an edit or a regeneration forks. */
  checkpoint?: string
  usage?: Usage
  finishReason?: string
  /** The provider's own id when ours differs. */
  providerId?: string
  /** What the caller attached to the run, the node or the call. */
  metadata?: Readonly<Record<string, unknown>>
}

/** Tokens a model counted. */
export interface Usage {
  inputTokens?: number
  outputTokens?: number
  totalTokens?: number
  /** Of the output: what the model thought and did not say. */
  reasoningTokens?: number
  /** Of the input: what the provider had in its cache. */
  cachedInputTokens?: number
}

/** A message as a caller may hand it in: an id is made where there is none. */
export type MessageInput = Omit<Message, 'id'> & { id?: string }
