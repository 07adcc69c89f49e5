import type { RunEvent, StreamedKind } from '../../events/event.ts'
import { inputIn } from './ui-message.ts'

/** Writes a run as the AI SDK's UI message stream. */
export interface AiSdkEncoder {
  /** The `data` of the blocks to send for an event. */
  encode(event: RunEvent): string[]
}

/** A growing part on this wire. */
interface Growing {
  kind: StreamedKind
  /** Its id: of a call, the call's. */
  id: string
  name: string
  text: string
}

/**
 * An encoder for one stream: what {@link createAiSdkDecoder} reads, and `useChat`. The wire has one message a response:
 * what a run says in several becomes steps of the first, and an attempt that is withdrawn is a step that is reset, when
 * it was the last to speak. It has no words for a state, for messages of tools, or for what is removed. Send
 * `x-vercel-ai-ui-message-stream: v1` with it.
 */
export function createAiSdkEncoder(): AiSdkEncoder {
  const messages = new Map<string, Growing[]>()
  /** Whose message the step is; `undefined` once it was reset, and the next one goes on in it. */
  let speaker: { task: string | undefined; attempt: number } | undefined
  const delta = ({ kind, id }: Growing, text: string): object => {
    if (kind === 'tool') return { type: 'tool-input-delta', toolCallId: id, inputTextDelta: text }
    return { type: `${kind}-delta`, id, delta: text }
  }
  const begin = ({ kind, id, name }: Growing): object =>
    kind === 'tool' ? { type: 'tool-input-start', toolCallId: id, toolName: name } : { type: `${kind}-start`, id }
  /** A message that was told at once, as if it had streamed; nothing for one that did, or that a caller sent. */
  const wholeMessage = ({ message, node, run }: Extract<RunEvent, { type: 'message' }>): RunEvent[] => {
    const { id, role, content, parts = [], toolCalls = [], meta } = message
    if (role !== 'assistant' || node === undefined || messages.has(id)) return []
    const spoken = parts.flatMap((part) => (part.kind === 'text' || part.kind === 'reasoning' ? [part] : []))
    const streamed = [
      ...(spoken.length === 0 && content !== '' ? [{ kind: 'text' as const, text: content }] : spoken),
      ...toolCalls.map((call) => ({ kind: 'tool' as const, callId: call.id, name: call.name, text: call.args })),
    ]
    const others = parts.filter((part) => part.kind !== 'text' && part.kind !== 'reasoning')
    const deltas = streamed.map((said, part): RunEvent => ({ type: 'message.delta', run, id, part, at: 0, ...said }))
    const lengths = streamed.map(({ text }) => text.length)
    return [
      { type: 'message.start', run, id, role, ...(meta && { meta }) },
      ...deltas,
      { type: 'message.end', run, id, lengths, parts: others },
    ]
  }
  const chunksOf = (event: RunEvent): (object | string)[] => {
    switch (event.type) {
      case 'message.start': {
        const isFirst = messages.size === 0
        const goesOn = !isFirst && speaker === undefined
        speaker = { task: event.task, attempt: event.attempt ?? 1 }
        messages.set(event.id, [])
        const { metadata } = event.meta ?? {}
        const start = { type: 'start', messageId: event.id, ...(metadata && { messageMetadata: metadata }) }
        if (goesOn) return []
        return isFirst ? [start, { type: 'start-step' }] : [{ type: 'finish-step' }, { type: 'start-step' }]
      }
      case 'rewind': {
        const isLast = 'task' in event && speaker?.task === event.task && speaker.attempt === event.attempt
        if (!isLast) return []
        speaker = undefined
        return [{ type: 'reset-step' }]
      }
      case 'message.delta': {
        const parts = messages.get(event.id) ?? []
        const known = parts[event.part]
        if (known !== undefined) {
          known.text += event.text
          return [delta(known, event.text)]
        }
        const { kind = 'text', callId, name = '', text } = event
        const part = { kind, id: callId ?? `${event.id}-${event.part}`, name, text }
        parts[event.part] = part
        return [begin(part), delta(part, text)]
      }
      case 'message.end':
        return [...(messages.get(event.id) ?? []).map(endOf), ...(event.parts ?? []).flatMap((part) => wholePart(part))]
      case 'message':
        return wholeMessage(event).flatMap(chunksOf)
      case 'tool.end': {
        const { id: toolCallId, error, output } = event
        return [
          error
            ? { type: 'tool-output-error', toolCallId, errorText: error.message }
            : { type: 'tool-output-available', toolCallId, output: output ?? null },
        ]
      }
      case 'custom':
        if (event.name === 'progress' && event.toolCallId !== undefined) {
          return [
            { type: 'tool-output-available', toolCallId: event.toolCallId, output: event.data, preliminary: true },
          ]
        }
        return [{ type: `data-${event.name ?? 'custom'}`, data: event.data, transient: true }]
      case 'interrupt':
        return [{ type: 'tool-approval-request', approvalId: event.id, toolCallId: event.id }]
      case 'run.end':
        return [...endsOf(event), '[DONE]']
      default:
        return []
    }
  }
  return {
    encode: (event) => chunksOf(event).map((chunk) => (typeof chunk === 'string' ? chunk : JSON.stringify(chunk))),
  }
}

function endOf({ kind, id, name, text }: Growing): object {
  if (kind !== 'tool') return { type: `${kind}-end`, id }
  return { type: 'tool-input-available', toolCallId: id, toolName: name, input: inputIn(text) }
}

function wholePart(part: {
  kind: string
  mediaType?: string
  url?: string
  data?: string
  name?: string
  value?: unknown
}): object[] {
  const { kind, mediaType, url, data, name, value } = part
  if (kind === 'data' && name?.startsWith('source-')) return [{ ...(value as object), type: name }]
  if (mediaType === undefined) return []
  return [{ type: 'file', mediaType, url: url ?? `data:${mediaType};base64,${data ?? ''}` }]
}

function endsOf({ status, error }: Extract<RunEvent, { type: 'run.end' }>): object[] {
  if (status === 'cancelled') return [{ type: 'abort' }]
  const finish = [{ type: 'finish-step' }, { type: 'finish' }]
  return error === undefined ? finish : [{ type: 'error', errorText: error.message }, ...finish]
}
