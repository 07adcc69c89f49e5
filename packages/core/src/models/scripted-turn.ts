import type { Message, Part, Usage } from '@rivulet/protocol'
import type { ChatOptions, MessageChunk, ToolCallChunk } from './chunk.ts'

/** A tool call that a scripted model asks for. */
export interface ScriptedCall {
  name: string
  /** Default: `call_<turn>_<place>`, counted from 0. */
  id?: string
  /** Arguments, written as JSON. Default: `{}`. */
  args?: unknown
  /** In place of `args`: their text as it is, whole or in these slices. It need not be JSON. */
  argsText?: string | readonly string[]
}

/** What a scripted model answers. It is said in the order of these fields. */
export interface ScriptedAnswer {
  /** The provider's id of the message. Default: none. */
  id?: string
  /** Reasoning: cut by `slice`, or in these slices. */
  reasoning?: string | readonly string[]
  /** Text: cut by `slice`, or in these slices. */
  text?: string | readonly string[]
  toolCalls?: readonly ScriptedCall[]
  /** Whether the pieces of several calls take turns. Default: one call after the other. */
  interleave?: boolean
  /** Images, files, citations: what comes whole. */
  parts?: readonly Part[]
  usage?: Usage
  finishReason?: string
  /** In place of all of the above: these chunks, as they are. */
  chunks?: readonly (MessageChunk | string)[]
  /**
   * How text, reasoning and arguments are cut. `word` (default): before each space, arguments whole. A number: every so
   * many UTF-16 code units, inside of surrogate pairs too, arguments as well.
   */
  slice?: 'word' | number
  /** Time before each chunk in ms, on the model's clock. Default: that of the model. */
  delayMs?: number
  /** Fails once this many chunks were said; at its end when it has fewer. */
  failAfter?: number
  /** What it fails with. Default: `PROVIDER_FAILED`, retryable. */
  error?: unknown
  /** Says nothing more after this many chunks, until it is aborted or left. */
  stallAfter?: number
}

/** One turn: text, an answer, or what makes one of the conversation. */
export type ScriptedTurn =
  | string
  | ScriptedAnswer
  | ((messages: readonly Message[], options: ChatOptions) => string | ScriptedAnswer | Promise<string | ScriptedAnswer>)

/** The chunks of an answer, in order. `turn` is its number, for ids of calls that have none. */
export function chunksOf(answer: ScriptedAnswer, turn: number): readonly MessageChunk[] {
  const { id, parts, usage, finishReason, slice = 'word' } = answer
  const said: MessageChunk[] = answer.chunks?.map((chunk) =>
    typeof chunk === 'string' ? { content: chunk } : chunk,
  ) ?? [
    ...pieces(answer.reasoning ?? [], slice).map((reasoning) => ({ reasoning })),
    ...pieces(answer.text ?? [], slice).map((content) => ({ content })),
    ...callChunks(answer, turn, slice).map((call) => ({ toolCallChunks: [call] })),
    ...(parts ? [{ parts }] : []),
    ...(usage || finishReason !== undefined
      ? [{ ...(usage && { usage }), ...(finishReason !== undefined && { finishReason }) }]
      : []),
  ]
  if (id === undefined || answer.chunks !== undefined) return said
  return [{ id, ...said[0] }, ...said.slice(1)]
}

function callChunks(
  { toolCalls = [], interleave = false }: ScriptedAnswer,
  turn: number,
  slice: 'word' | number,
): readonly ToolCallChunk[] {
  const calls = toolCalls.map((call, index) => piecesOfCall(call, index, turn, slice))
  if (!interleave) return calls.flat()
  const longest = Math.max(0, ...calls.map(({ length }) => length))
  return Array.from({ length: longest }, (_, i) => calls.flatMap((call) => call.slice(i, i + 1))).flat()
}

/** The call with its name, then its arguments. */
function piecesOfCall(
  { id, name, args = {}, argsText }: ScriptedCall,
  index: number,
  turn: number,
  slice: 'word' | number,
): ToolCallChunk[] {
  const text = argsText ?? JSON.stringify(args)
  const slices = typeof text === 'string' && slice === 'word' ? [text] : pieces(text, slice)
  return [{ index, id: id ?? `call_${turn}_${index}`, name }, ...slices.map((piece) => ({ index, args: piece }))]
}

function pieces(text: string | readonly string[], slice: 'word' | number): readonly string[] {
  if (typeof text !== 'string') return text
  if (text === '') return []
  if (slice === 'word') return text.match(/\s*\S+(?:\s+$)?/g) ?? [text]
  const length = Math.max(1, Math.trunc(slice))
  return Array.from({ length: Math.ceil(text.length / length) }, (_, i) => text.slice(i * length, (i + 1) * length))
}
