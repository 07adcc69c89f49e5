import type { ToolCallState } from '../../fold/tool-calls.ts'
import type { Message } from '../../messages/message.ts'

/** A message as the AI SDK's UI has it. */
export interface UiMessage {
  id: string
  role: 'user' | 'assistant' | 'system'
  parts: readonly Readonly<Record<string, unknown>>[]
  metadata?: Readonly<Record<string, unknown>>
}

/**
 * The messages of a thread as the AI SDK's UI has them, for a backend that expects them with every request. Answers of
 * tools stand there beside the calls, not as messages.
 */
export function writeUiMessages(messages: readonly Message[], calls: readonly ToolCallState[]): UiMessage[] {
  const byId = new Map(calls.map((call) => [call.id, call]))
  return messages.flatMap(({ id, role, content, parts, toolCalls = [], meta }) => {
    if (role === 'tool') return []
    const spoken = parts ?? (content === '' ? [] : [{ kind: 'text' as const, text: content }])
    const written = [...spoken.map(writePart), ...toolCalls.map((call) => writeCall(byId.get(call.id), call))]
    return { id, role, parts: written, ...(meta?.metadata && { metadata: meta.metadata }) }
  })
}

function writePart(part: NonNullable<Message['parts']>[number]): UiMessage['parts'][number] {
  switch (part.kind) {
    case 'text':
    case 'reasoning':
      return { type: part.kind, text: part.text }
    case 'data':
      return { type: `data-${part.name}`, data: part.value }
    default: {
      const { mediaType, url = `data:${mediaType};base64,${part.data ?? ''}`, name: filename } = part
      return { type: 'file', mediaType, url, ...(filename !== undefined && { filename }) }
    }
  }
}

function writeCall(
  known: ToolCallState | undefined,
  { id, name, args }: { id: string; name: string; args: string },
): UiMessage['parts'][number] {
  const call = { type: `tool-${name}`, toolCallId: id, input: inputIn(args) }
  if (known?.error !== undefined) return { ...call, state: 'output-error', errorText: known.error.message }
  return known?.status === 'done'
    ? { ...call, state: 'output-available', output: known.output }
    : { ...call, state: 'input-available' }
}

/** What a call's arguments say; their text itself when it is no JSON. */
export function inputIn(args: string): unknown {
  try {
    return JSON.parse(args)
  } catch {
    return args
  }
}
