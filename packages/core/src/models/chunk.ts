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

/** A piece of a model's answer. Every field is what is new in it. */
export interface MessageChunk {
  /** The provider's id of the message. */
  id?: string
  content?: string
  reasoning?: string
  toolCallChunks?: readonly ToolCallChunk[]
  /** Tokens so far; a later one replaces an earlier one field by field. */
  usage?: Usage
  finishReason?: string
  /** Parts that come whole: images, files, data. */
  parts?: readonly Part[]
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
  /** `false`: the answer arrives in one piece, through the same events. */
  readonly streaming?: boolean | undefined
}
