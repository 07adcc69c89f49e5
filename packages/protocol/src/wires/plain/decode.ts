import { createChatDecoder, createChatWriter, type ChatDecoder, type ChatToRead } from '../chat-writer.ts'
import { fieldsIn, textOf } from '../fields.ts'

/** What a frame of a plain stream can say; a mapping makes it of frames of any shape. */
export type PlainFrame =
  | { type: 'token'; content: string }
  | { type: 'reasoning'; content: string }
  | { type: 'error'; message: string }
  | { type: 'done' }
  | { type: 'custom'; name?: string | undefined; data: unknown }

/** How a plain stream is to be read. */
export interface PlainToRead extends ChatToRead {
  /** Makes frames of ours of what arrives; `undefined` for what says nothing. Default: they are of ours. */
  map?: ((data: string) => PlainFrame | readonly PlainFrame[] | undefined) | undefined
  /** What ends an answer: a frame that says so, or that the body ends. Default `done-frame`. */
  end?: 'done-frame' | 'close' | undefined
}

/**
 * Reads a plain stream of tokens: `{"type":"token","content"}`, `{"type":"error","message"}`, and `[DONE]` or
 * `{"type":"done"}` at its end. An object of another type is a custom event of that name.
 */
export function createPlainDecoder({ map = readFrame, end = 'done-frame', ...chat }: PlainToRead): ChatDecoder {
  const writer = createChatWriter(chat)
  const take = (frame: PlainFrame): void => {
    switch (frame.type) {
      case 'token':
        return writer.messages.append(writer.start({ role: 'assistant' }), 'text', frame.content)
      case 'reasoning':
        return writer.messages.append(writer.start({ role: 'assistant' }), 'reasoning', frame.content, {
          kind: 'reasoning',
        })
      case 'error':
        return writer.fail(frame.message)
      case 'done':
        return writer.end()
      default: {
        const { name, data } = frame
        return writer.emit({ type: 'custom', run: writer.run, data, ...(name !== undefined && { name }) })
      }
    }
  }
  return createChatDecoder(writer, {
    read(data) {
      const frames = map(data) ?? []
      for (const frame of Array.isArray(frames) ? (frames as readonly PlainFrame[]) : [frames as PlainFrame]) {
        if (!writer.hasEnded) take(frame)
      }
    },
    close() {
      if (end === 'done-frame') writer.cutOff()
      else writer.end(undefined, { assumed: true })
    },
  })
}

function readFrame(data: string): PlainFrame | undefined {
  if (data.trim() === '[DONE]') return { type: 'done' }
  const frame = fieldsIn(data)
  const type = textOf(frame?.['type'])
  if (frame === undefined || type === undefined) return undefined
  switch (type) {
    case 'token':
    case 'reasoning':
      return { type, content: textOf(frame['content']) ?? '' }
    case 'error':
      return { type, message: textOf(frame['message']) ?? '' }
    case 'done':
      return { type }
    case 'custom':
      return { type, name: textOf(frame['name']), data: frame['data'] ?? null }
    default:
      return { type: 'custom', name: type, data: frame }
  }
}
