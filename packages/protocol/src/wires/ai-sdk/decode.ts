import type { ToolEnd } from '../../events/event.ts'
import type { Part } from '../../messages/message.ts'
import {
  createChatDecoder,
  createChatWriter,
  type ChatDecoder,
  type ChatToRead,
  type ChatWriter,
} from '../chat-writer.ts'
import { fieldsIn, isFields, textOf, type Fields } from '../fields.ts'

/**
 * Reads the AI SDK's UI message stream (version 1). All of one response is one message; a step that is reset takes back
 * what it said. What tools are asked and answer is in the calls, `data-*` chunks are custom events, sources and files
 * are parts.
 */
export function createAiSdkDecoder(options: ChatToRead): ChatDecoder {
  const writer = createChatWriter(options)
  const reader = createReader(writer)
  return createChatDecoder(writer, {
    read(data) {
      const chunk = data === '[DONE]' ? { type: 'done' } : fieldsIn(data)
      if (chunk !== undefined) reader.read(chunk)
    },
    close: reader.close,
  })
}

function createReader(writer: ChatWriter): { read: (chunk: Fields) => void; close: () => void } {
  const { run, messages } = writer
  const parts: Part[] = []
  const calls = new Map<string, string>()
  let id: string | undefined
  let step = 0
  let isFinished = false
  let asks = false
  const message = (given: { id?: string | undefined; metadata?: unknown } = {}) => {
    const metadata = isFields(given.metadata) ? { meta: { metadata: given.metadata } } : {}
    id ??= writer.start({ id: given.id, role: 'assistant', ...metadata })
    return id
  }
  const call = (callId: string, name: string, text: string) => {
    if (!calls.has(callId)) calls.set(callId, name)
    growing.add(callId)
    messages.append(message(), `tool ${callId}`, text, { kind: 'tool', callId, name })
  }
  /** Parts that were begun and not ended: with none, what there is of the message is whole, however the run ends. */
  const growing = new Set<string>()
  const written = () => messages.get(message())?.parts ?? []
  /** How many parts are of earlier steps: those that grow, and those that come whole. */
  let kept = [0, 0]
  /** Takes back what the step said: the message begins anew with what it said before. */
  const reset = () => {
    const grown = written().slice(0, kept[0])
    growing.clear()
    parts.splice(kept[1]!)
    writer.emit({ type: 'message.remove', run, id: message() })
    writer.start({ id, role: 'assistant' })
    grown.forEach(({ text, ...part }, i) => messages.append(message(), `kept ${i}`, text, part))
  }
  const end = (status?: 'cancelled') => {
    if (id !== undefined) {
      messages.note(id, { parts })
      if (growing.size === 0) messages.end(id)
    }
    writer.end(status ?? (asks ? 'interrupted' : undefined))
  }
  return {
    read(chunk) {
      const { type, delta } = chunk
      const text = textOf(delta) ?? ''
      const [kind = ''] = String(type).split('-')
      const part = `${kind} ${step} ${String(chunk['id'])}`
      const callId = textOf(chunk['toolCallId']) ?? ''
      const name = textOf(chunk['toolName']) ?? calls.get(callId) ?? ''
      const ended = (what: Pick<ToolEnd, 'output' | 'error'>) =>
        writer.emit({ type: 'tool.end', run, id: callId, name, ...what })
      switch (type) {
        case 'start':
          return void message({ id: textOf(chunk['messageId']), metadata: chunk['messageMetadata'] })
        case 'start-step':
          step++
          kept = [written().length, parts.length]
          return undefined
        case 'reset-step':
          return reset()
        case 'text-delta':
        case 'reasoning-delta': {
          growing.add(part)
          // One of the two, as the type says.
          return messages.append(message(), part, text, { kind: kind as 'text' | 'reasoning' })
        }
        case 'text-end':
        case 'reasoning-end':
          return void growing.delete(part)
        case 'tool-input-start':
          return call(callId, name, '')
        case 'tool-input-delta':
          return call(callId, name, textOf(chunk['inputTextDelta']) ?? '')
        case 'tool-input-available':
        case 'tool-input-error':
          // Mostly what came in pieces, told again.
          if (!written().find((part) => part.callId === callId)?.text)
            call(callId, name, JSON.stringify(chunk['input'] ?? {}))
          return void growing.delete(callId)
        case 'tool-output-available': {
          const { output, preliminary } = chunk
          if (preliminary === true)
            return writer.emit({ type: 'custom', run, name: 'progress', data: output, toolCallId: callId })
          return ended({ output })
        }
        case 'tool-output-error':
        case 'tool-output-denied':
          return ended({ error: { code: 'NODE_FAILED', message: textOf(chunk['errorText']) ?? 'denied' } })
        case 'tool-approval-request':
          asks = true
          return writer.emit({
            type: 'interrupt',
            run,
            id: textOf(chunk['approvalId']) ?? callId,
            value: { toolCallId: callId, toolName: name },
          })
        case 'file': {
          const [url, mediaType] = [textOf(chunk['url']), textOf(chunk['mediaType'])]
          if (url !== undefined && mediaType !== undefined) parts.push({ kind: 'file', mediaType, url })
          return undefined
        }
        case 'source-url':
        case 'source-document': {
          const { type: _type, ...source } = chunk
          parts.push({ kind: 'data', name: type, value: source })
          return undefined
        }
        case 'error':
          return writer.fail(chunk['errorText'])
        case 'abort':
          return end('cancelled')
        case 'finish':
          isFinished = true
          return undefined
        case 'done':
          return end()
        default:
          return readOther(writer, chunk)
      }
    },
    close() {
      // What closes without a last mark is complete when it said so before.
      if (!isFinished) writer.cutOff()
      end()
    },
  }
}

function readOther(writer: ChatWriter, chunk: Fields): void {
  const type = textOf(chunk['type']) ?? ''
  if (type.startsWith('data-'))
    writer.emit({ type: 'custom', run: writer.run, name: type.slice('data-'.length), data: chunk['data'] ?? null })
}
