import type { Part, Usage } from '@rivulet/protocol'
import type { NodeContext } from '../graph/node-context.ts'
import type { StandardSchema } from '../state/standard-schema.ts'

/** A piece of a tool call as a model streams it: pieces with the same `index` belong together. */
export interface ToolCallChunk {
  index: number
  id?: string
  name?: string
  /** JSON text to append to the arguments. */
  args?: string
}

/** Where something that the answer says comes from. In the message it is a `data` part named `citation`. */
export interface Citation {
  url?: string
  title?: string
  /** The words that are cited. */
  quote?: string
  /** What of the message's text it supports: offsets in UTF-16 code units, the end not included. */
  start?: number
  end?: number
}

/**
 * A piece of a model's answer. Every field is what is new in it. A field that is not what its type says is left out:
 * adding up chunks never throws, whatever a provider sends.
 */
export interface MessageChunk {
  /** The provider's id of the message. */
  id?: string
  content?: string
  reasoning?: string
  toolCallChunks?: readonly ToolCallChunk[]
  /** Tokens so far: each count takes the place of the one before. */
  usage?: Usage
  /** Tokens since the last chunk that told any: each count is added. */
  usageDelta?: Usage
  /** Why the answer ended. The last one holds. */
  finishReason?: string
  /** What else the provider says of its answer, JSON: the last value of each key holds. In the message's `meta.metadata`. */
  metadata?: Readonly<Record<string, unknown>>
  /** Parts that come whole: images, files, data. */
  parts?: readonly Part[]
  citations?: readonly Citation[]
  /** What came before in this answer does not hold: it begins anew with this chunk, as a message with another id. */
  restart?: boolean
}

/** What a model may call, as it is told to the model. */
export interface ToolSpec {
  readonly name: string
  readonly description: string
  readonly schema?: StandardSchema | undefined
  /** JSON Schema of the arguments. Made by `tool()` from the schema where that can say it. */
  readonly jsonSchema?: unknown
}

/** How one call of a model is made. */
export interface ChatOptions {
  /** Stops the call; so does the node's own signal. */
  readonly signal?: AbortSignal | undefined
  readonly tools?: readonly ToolSpec[] | undefined
  /**
   * Whether to call tools: as the model likes (`auto`), not at all, at least one (`required`), or this one. Default: what
   * the provider does. A model that cannot be told leaves it out.
   */
  readonly toolChoice?: 'auto' | 'none' | 'required' | { readonly name: string } | undefined
  /** The answer's text is to be JSON of this schema. A model that cannot be told leaves it out. */
  readonly responseFormat?: { readonly name: string; readonly jsonSchema: unknown } | undefined
  /** Added to the run's and the node's. `nostream` keeps the whole message out of the events. */
  readonly tags?: readonly string[] | undefined
  readonly metadata?: Readonly<Record<string, unknown>> | undefined
  /** Name of the call, shown as `name` with its tokens. Default: the model's. */
  readonly name?: string | undefined
  /** The node's context, where the platform cannot find it by itself. */
  readonly ctx?: NodeContext | undefined
  /** `false`: the answer arrives in one piece, through the same events. Default: true. */
  readonly streaming?: boolean | undefined
  /** `true` is `streaming: false`, and wins over it. */
  readonly disableStreaming?: boolean | undefined
  /**
   * Asked when the call fails half way, with what it failed with: `true` withdraws what was told of the answer, because
   * another call takes its place. Default: it stays, cut. Not asked when the call was stopped.
   */
  readonly withdrawOn?: ((error: unknown) => boolean) | undefined
}
