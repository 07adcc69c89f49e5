import type { RunEvent, StreamedKind } from '../../events/event.ts'

/** Writes a run as a plain stream. */
export interface PlainEncoder {
  /** The `data` of the blocks to send for an event. */
  encode(event: RunEvent): string[]
}

/** An encoder for one stream: what {@link createPlainDecoder} reads. Of what a run says it carries text, custom values and the end; what is removed or withdrawn stays. */
export function createPlainEncoder(): PlainEncoder {
  const kinds = new Map<string, StreamedKind>()
  const streamed = new Set<string>()
  return {
    encode(event) {
      switch (event.type) {
        case 'message.delta': {
          const part = `${event.id} ${event.part}`
          const kind = event.kind ?? kinds.get(part) ?? 'text'
          kinds.set(part, kind)
          streamed.add(event.id)
          if (kind === 'tool') return []
          return [JSON.stringify({ type: kind === 'text' ? 'token' : kind, content: event.text })]
        }
        case 'message': {
          const { id, role, content } = event.message
          // What a caller sent is not told back, and what streamed is not told again.
          if (role !== 'assistant' || event.node === undefined || streamed.has(id) || content === '') return []
          return [JSON.stringify({ type: 'token', content })]
        }
        case 'custom':
          return [JSON.stringify({ type: 'custom', name: event.name, data: event.data })]
        case 'run.end': {
          const { error } = event
          return [...(error === undefined ? [] : [JSON.stringify({ type: 'error', message: error.message })]), '[DONE]']
        }
        default:
          return []
      }
    },
  }
}
