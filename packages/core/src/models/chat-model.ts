import { normalizeMessage, type Message, type MessageInput } from '@rivulet/protocol/model'
import { randomId } from '../runtime/ids.ts'
import { eitherSignal } from '../runtime/either-signal.ts'
import { currentContext, TaskContext } from '../runtime/task-context.ts'
import { withAnsweredCalls } from '../tools/open-calls.ts'
import type { ChatOptions, MessageChunk } from './chunk.ts'
import { MessageStream } from './message-stream.ts'
import { isEmpty, readChunk } from './read-chunk.ts'

/** Something that answers messages with a message, in pieces. */
export interface ChatModel {
  readonly name: string
  /** The answer in pieces. Inside a node each piece also becomes an event. Stops when the signal fires or the loop is left. */
  stream(messages: MessagesInput, options?: ChatOptions): AsyncIterable<MessageChunk>
  /** The whole answer; inside a node it streams to whoever watches. */
  invoke(messages: MessagesInput, options?: ChatOptions): Promise<Message>
  /** This model with options for every call; tags and metadata add up. */
  with(options: ChatOptions): ChatModel
}

/** A conversation, or one thing to say. */
export type MessagesInput = string | readonly (MessageInput | string)[]

/**
 * What a model's author writes: messages in, pieces out. A piece that is a string is text. `options` are those of the
 * call with the model's own; their `signal` fires with the node's too, and `streaming` says whether pieces are wanted:
 * whatever comes is told as one piece when they are not.
 */
export type ChatSource = (
  messages: readonly Message[],
  options: ChatOptions,
) => AsyncIterable<MessageChunk | string> | Promise<AsyncIterable<MessageChunk | string>>

/** Makes a {@link ChatModel} of anything that yields text or chunks. `defaults` hold for every call of it. */
export function fromAsyncIterable(source: ChatSource, defaults: ChatOptions = {}): ChatModel {
  const call = (messages: MessagesInput, options: ChatOptions | undefined) =>
    begin(source, conversation(messages), mergeOptions(defaults, options))
  return {
    name: defaults.name ?? 'model',
    stream: (messages, options) => pieces(call(messages, options)),
    invoke: async (messages, options) => {
      const answer = call(messages, options)
      await readWhole(answer)
      return answer.out.message()
    },
    with: (options) => fromAsyncIterable(source, mergeOptions(defaults, options)),
  }
}

/** An option that is `undefined` says nothing. */
function mergeOptions(defaults: ChatOptions, options: ChatOptions = {}): ChatOptions {
  const said = Object.entries(options).filter(([, value]) => value !== undefined)
  return {
    ...defaults,
    // The same fields, without those that say nothing.
    ...(Object.fromEntries(said) as ChatOptions),
    tags: [...(defaults.tags ?? []), ...(options.tags ?? [])],
    metadata: { ...defaults.metadata, ...options.metadata },
  }
}

function conversation(messages: MessagesInput): readonly Message[] {
  const list = typeof messages === 'string' ? [messages] : messages
  // Providers refuse a call without an answer: one that was cut off is answered by saying so.
  return withAnsweredCalls(list.map((message) => normalizeMessage(message, randomId)))
}

interface Call {
  readonly chunks: () => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>
  readonly out: MessageStream
  readonly streaming: boolean
  /** Throws when the tool call that it is made in has ended. */
  readonly assertOpen: () => void
}

function begin(source: ChatSource, messages: readonly Message[], given: ChatOptions): Call {
  const ctx = given.ctx instanceof TaskContext ? given.ctx : currentContext()
  const streaming = given.disableStreaming !== true && given.streaming !== false
  const options = { ...given, streaming, signal: callSignal({ ctx, signal: given.signal }) }
  const out = new MessageStream(ctx && TaskContext.attemptOf(ctx), options)
  const assertOpen = () => void (ctx && TaskContext.openAttemptOf(ctx, 'a token was'))
  return { chunks: () => source(messages, options), out, streaming, assertOpen }
}

/**
 * The signal of a call with these options: fires when it is stopped, or the node it is made in. `undefined` when neither
 * can be.
 */
export function callSignal({ ctx, signal }: ChatOptions): AbortSignal | undefined {
  const within = ctx ?? currentContext()
  if (signal === undefined || within === undefined || signal === within.signal) return signal ?? within?.signal
  // A context that no run made belongs to no attempt that could let go of them.
  if (!(within instanceof TaskContext)) return AbortSignal.any([signal, within.signal])
  return eitherSignal(TaskContext.attemptOf(within), signal, within.signal)
}

/** Reads an answer to its end. What {@link pieces} does, without a reader in between: that costs as much as the rest. */
async function readWhole(call: Call): Promise<void> {
  const { out } = call
  out.begin()
  try {
    for await (const given of await call.chunks()) {
      takePiece(call, given)
      const room = out.room()
      if (room !== undefined) await room
    }
    out.end(call.streaming)
  } catch (error) {
    out.fail(error)
    throw error
  } finally {
    out.leave()
  }
}

function takePiece({ out, streaming, assertOpen }: Call, given: unknown): MessageChunk {
  const chunk = readChunk(given)
  assertOpen()
  out.take(chunk, streaming)
  return chunk
}

async function* pieces(call: Call): AsyncGenerator<MessageChunk, void, undefined> {
  const { out, streaming } = call
  out.begin()
  try {
    for await (const given of await call.chunks()) {
      const chunk = takePiece(call, given)
      const room = out.room()
      if (room !== undefined) await room
      if (streaming && !isEmpty(chunk)) yield chunk
    }
    out.end(streaming)
  } catch (error) {
    out.fail(error)
    throw error
  } finally {
    out.leave()
  }
  if (!streaming) yield wholeChunk(out.message())
}

/** A message as the one chunk that adds up to it. */
function wholeChunk({ id, content, parts = [], toolCalls, meta }: Message): MessageChunk {
  const reasoning = parts.map((part) => (part.kind === 'reasoning' ? part.text : '')).join('')
  const whole = parts.filter(({ kind }) => kind !== 'text' && kind !== 'reasoning')
  return {
    id,
    ...(reasoning !== '' && { reasoning }),
    content,
    ...(toolCalls && { toolCallChunks: toolCalls.map((call, index) => ({ index, ...call })) }),
    ...(whole.length > 0 && { parts: whole }),
    ...(meta?.usage && { usage: meta.usage }),
    ...(meta?.finishReason !== undefined && { finishReason: meta.finishReason }),
    ...(meta?.metadata && { metadata: meta.metadata }),
  }
}
