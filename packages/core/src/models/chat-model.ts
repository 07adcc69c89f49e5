import { normalizeMessage, type Message, type MessageInput } from '@rivulet/protocol'
import { randomId } from '../runtime/ids.ts'
import { currentContext, TaskContext } from '../runtime/task-context.ts'
import { withAnsweredCalls } from '../tools/open-calls.ts'
import type { ChatOptions, MessageChunk } from './chunk.ts'
import { MessageStream } from './message-stream.ts'

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

/** What a model's author writes: messages in, pieces out. A piece that is a string is text. */
export type ChatSource = (
  messages: readonly Message[],
  options: ChatOptions,
) => AsyncIterable<MessageChunk | string> | Promise<AsyncIterable<MessageChunk | string>>

/** Makes a {@link ChatModel} of anything that yields text or chunks. */
export function fromAsyncIterable(source: ChatSource, defaults: ChatOptions = {}): ChatModel {
  const call = (messages: MessagesInput, options: ChatOptions | undefined) => {
    const merged = mergeOptions(defaults, options)
    return begin(source, conversation(messages), merged)
  }
  return {
    name: defaults.name ?? 'model',
    stream: (messages, options) => pieces(call(messages, options)),
    invoke: async (messages, options) => {
      const answer = call(messages, options)
      for await (const _ of pieces(answer)) void _
      return answer.message()
    },
    with: (options) => fromAsyncIterable(source, mergeOptions(defaults, options)),
  }
}

function mergeOptions(defaults: ChatOptions, options: ChatOptions = {}): ChatOptions {
  return {
    ...defaults,
    ...options,
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
  readonly chunks: () => AsyncIterable<MessageChunk | string> | Promise<AsyncIterable<MessageChunk | string>>
  readonly out: MessageStream
  readonly streaming: boolean
  message(): Message
}

function begin(source: ChatSource, messages: readonly Message[], options: ChatOptions): Call {
  const ctx = options.ctx instanceof TaskContext ? options.ctx : currentContext()
  const out = new MessageStream(ctx && TaskContext.attemptOf(ctx), options)
  const signal = options.signal ?? ctx?.signal
  return {
    chunks: () => source(messages, { ...options, signal }),
    out,
    streaming: options.streaming ?? true,
    message: () => out.message(),
  }
}

async function* pieces({ chunks, out, streaming }: Call): AsyncGenerator<MessageChunk, void, undefined> {
  out.begin()
  let done = false
  try {
    for await (const given of await chunks()) {
      const chunk = typeof given === 'string' ? { content: given } : given
      out.take(chunk, streaming)
      const room = out.room()
      if (room !== undefined) await room
      if (streaming) yield chunk
    }
    out.end(streaming)
    done = true
  } finally {
    if (!done) out.leave()
  }
  if (!streaming) yield wholeChunk(out.message())
}

function wholeChunk(message: Message): MessageChunk {
  return {
    content: message.content,
    ...(message.toolCalls && { toolCallChunks: message.toolCalls.map((call, index) => ({ index, ...call })) }),
    ...(message.meta?.usage && { usage: message.meta.usage }),
  }
}
