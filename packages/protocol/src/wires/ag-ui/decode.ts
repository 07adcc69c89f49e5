import type { Role } from '../../messages/message.ts'
import {
  createChatDecoder,
  createChatWriter,
  type ChatDecoder,
  type ChatToRead,
  type ChatWriter,
} from '../chat-writer.ts'
import { fieldsIn, fieldsOf, isFields, textOf, type Fields } from '../fields.ts'
import { patched } from './patch.ts'

/**
 * Reads AG-UI's events (1.0): messages, reasoning, tool calls with their results, state as snapshots and patches, steps
 * and custom events. Interrupts are those in the outcome of `RUN_FINISHED`.
 */
export function createAgUiDecoder(options: ChatToRead): ChatDecoder {
  const writer = createChatWriter(options)
  const reader = createReader(writer)
  return createChatDecoder(writer, {
    read(data) {
      const event = fieldsIn(data)
      if (event !== undefined) reader(event)
    },
    close: () => writer.cutOff(),
  })
}

const ROLES: ReadonlyMap<unknown, Role> = new Map<unknown, Role>([
  ['user', 'user'],
  ['system', 'system'],
  ['developer', 'system'],
  ['tool', 'tool'],
])

function createReader(writer: ChatWriter): (event: Fields) => void {
  const { run, messages } = writer
  const calls = new Map<string, string>()
  let state: unknown = {}
  let last: string | undefined
  const message = (given: unknown, role?: unknown): string => {
    const id = textOf(given) ?? last
    // Calls may follow a message's end: a message is whole when another begins.
    if (last !== undefined && id !== last) messages.end(last)
    last = writer.start({ id, role: ROLES.get(role) ?? 'assistant' })
    return last
  }
  const call = (given: unknown, name: unknown, parent: unknown, text: string): void => {
    const callId = textOf(given) ?? [...calls.keys()].at(-1) ?? ''
    if (!calls.has(callId)) calls.set(callId, textOf(name) ?? '')
    messages.append(message(parent), `tool ${callId}`, text, { kind: 'tool', callId, name: calls.get(callId) ?? '' })
  }
  const showState = (next: unknown): void => {
    state = next
    if (!isFields(state)) return
    const { messages: _messages, ...set } = state
    writer.emit({ type: 'values', run, set })
  }
  return (event) => {
    const { type, messageId, delta } = event
    const text = textOf(delta) ?? ''
    switch (type) {
      case 'TEXT_MESSAGE_START':
        return void message(messageId, event['role'])
      case 'TEXT_MESSAGE_CONTENT':
      case 'TEXT_MESSAGE_CHUNK':
        return messages.append(message(messageId, event['role']), 'text', text)
      case 'REASONING_MESSAGE_CONTENT':
      case 'REASONING_MESSAGE_CHUNK':
      case 'THINKING_TEXT_MESSAGE_CONTENT':
        return messages.append(message(messageId), `reasoning ${String(messageId)}`, text, { kind: 'reasoning' })
      case 'TOOL_CALL_START':
      case 'TOOL_CALL_ARGS':
      case 'TOOL_CALL_CHUNK':
        return call(event['toolCallId'], event['toolCallName'], event['parentMessageId'], text)
      case 'TOOL_CALL_RESULT': {
        const toolCallId = textOf(event['toolCallId']) ?? ''
        const content = textOf(event['content']) ?? ''
        const id = textOf(messageId) ?? `${toolCallId}-result`
        writer.emit({ type: 'tool.end', run, id: toolCallId, name: calls.get(toolCallId) ?? '', output: content })
        return writer.emit({ type: 'message', run, message: { id, role: 'tool', content, toolCallId } })
      }
      case 'STATE_SNAPSHOT':
        return showState(event['snapshot'])
      case 'STATE_DELTA':
        return showState(patched(state, delta))
      case 'MESSAGES_SNAPSHOT':
        return fieldsOf(event['messages']).forEach((item) => readWhole(writer, item))
      case 'CUSTOM':
        return custom(writer, textOf(event['name']) ?? 'custom', event['value'])
      case 'ACTIVITY_SNAPSHOT':
      case 'ACTIVITY_DELTA':
        return custom(writer, textOf(event['activityType']) ?? 'activity', event['content'] ?? event['patch'])
      case 'RUN_ERROR':
        writer.fail(event['message'])
        return writer.end()
      case 'RUN_FINISHED':
        return finish(writer, event)
      default:
        return undefined
    }
  }
}

function custom(writer: ChatWriter, name: string, data: unknown): void {
  writer.emit({ type: 'custom', run: writer.run, name, data: data ?? null })
}

/** A whole message; one that was streamed here is known already. */
function readWhole(writer: ChatWriter, { id, role, content, toolCalls, toolCallId }: Fields): void {
  if (typeof id !== 'string' || writer.messages.get(id) !== undefined) return
  const answers = textOf(toolCallId)
  const made = fieldsOf(toolCalls).map(({ id: callId, function: called }) => {
    const { name, arguments: args }: Fields = isFields(called) ? called : {}
    return { id: textOf(callId) ?? '', name: textOf(name) ?? '', args: textOf(args) ?? '{}' }
  })
  writer.emit({
    type: 'message',
    run: writer.run,
    message: {
      id,
      role: ROLES.get(role) ?? 'assistant',
      content: textOf(content) ?? '',
      ...(made.length > 0 && { toolCalls: made }),
      ...(answers !== undefined && { toolCallId: answers }),
    },
  })
}

function finish(writer: ChatWriter, { outcome }: Fields): void {
  const { type, interrupts }: Fields = isFields(outcome) ? outcome : {}
  fieldsOf(interrupts).forEach((interrupt, i) => {
    writer.emit({
      type: 'interrupt',
      run: writer.run,
      id: textOf(interrupt['id']) ?? `${writer.run}-${i}`,
      value: interrupt,
    })
  })
  writer.end(type === 'interrupt' ? 'interrupted' : undefined)
}
