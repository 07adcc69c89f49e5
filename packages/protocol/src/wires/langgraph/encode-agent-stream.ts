import type { MessageDelta, RunEvent, StreamedKind } from '../../events/event.ts'
import { messageOf } from '../../fold/read.ts'
import type { ThreadState } from '../../fold/state.ts'
import type { Message } from '../../messages/message.ts'
import { ROOT, taskSegment } from '../../namespace.ts'
import type { Fields } from '../fields.ts'
import { blocksOf } from './encode-classic.ts'
import { MESSAGE_TYPES, writeUsage } from './write-dict.ts'

/** One frame of the protocol, without what the connection adds: `event_id`, `seq` and `timestamp`. */
export interface AgentStreamFrame {
  method: string
  params: { namespace: readonly string[]; node?: string; data: unknown }
}

/** Writes a thread in the frames of LangGraph's agent streaming protocol. */
export interface AgentStreamEncoder {
  /** What to send for an event; `state` is what the thread's events up to this one add up to. */
  encode(event: RunEvent, state: ThreadState): AgentStreamFrame[]
}

/** An encoder for one stream: what {@link createAgentStreamDecoder} reads, and LangGraph's own clients. */
export function createAgentStreamEncoder(): AgentStreamEncoder {
  return { encode: (event, state) => [...messageFrames(event, state), ...otherFrames(event, state)] }
}

const LIFECYCLE = { done: 'completed', error: 'failed', interrupted: 'interrupted', cancelled: 'interrupted' } as const

function otherFrames(event: RunEvent, state: ThreadState): AgentStreamFrame[] {
  const namespace = event.ns ?? ROOT
  const frame = (method: string, data: unknown): AgentStreamFrame[] => [{ method, params: { namespace, data } }]
  switch (event.type) {
    case 'run.start':
      return frame('lifecycle', { event: 'running', graph_name: event.graph })
    case 'run.end': {
      const { status, error } = event
      const told = error && { error: JSON.stringify({ error: error.code, message: error.message }) }
      return frame('lifecycle', { event: LIFECYCLE[status], ...told })
    }
    case 'updates':
      return [{ method: 'updates', params: { namespace, node: event.node ?? '', data: event.update } }]
    case 'custom':
      return frame('custom', { payload: event.data, ...(event.name !== undefined && { name: event.name }) })
    case 'interrupt':
      return frame('input.requested', { interrupt_id: event.id, payload: event.value })
    case 'tool.start': {
      const data = { event: 'tool-started', tool_call_id: event.id, tool_name: event.name }
      return [
        {
          method: 'tools',
          params: { namespace: placeOf(event), data: { ...data, input: JSON.stringify(event.input ?? null) } },
        },
      ]
    }
    case 'tool.end': {
      const { id, name, output, error } = event
      const end = error
        ? { event: 'tool-error', message: error.message }
        : { event: 'tool-finished', output: output ?? null }
      return [
        { method: 'tools', params: { namespace: placeOf(event), data: { ...end, tool_call_id: id, tool_name: name } } },
      ]
    }
    case 'values':
    case 'rewind':
    case 'task.start':
    case 'task.end':
    case 'checkpoint':
      return blocksOf(event, state).map((block) => ({ method: block.event, params: { namespace, data: block.data } }))
    default:
      return []
  }
}

/** Where a node speaks: its task is a namespace of its own here. */
function placeOf({ ns = ROOT, node, task }: Pick<RunEvent, 'ns' | 'node' | 'task'>): readonly string[] {
  return node === undefined ? ns : [...ns, taskSegment(node, task ?? '')]
}

function messageFrames(event: RunEvent, state: ThreadState): AgentStreamFrame[] {
  const framesAt = (
    place: Pick<RunEvent, 'ns' | 'node' | 'task'>,
    id: string,
    all: readonly Fields[],
  ): AgentStreamFrame[] =>
    all.map((data) => ({ method: 'messages', params: { namespace: placeOf(place), data: { ...data, run_id: id } } }))
  switch (event.type) {
    case 'message.start': {
      const { id, role, name, toolCallId } = event
      return framesAt(event, id, [startOf({ id, role, ...(name && { name }), ...(toolCallId && { toolCallId }) })])
    }
    case 'message.delta': {
      const open = state.live.get(event.id)
      const part = open?.parts[event.part]
      if (part === undefined) return []
      const { kind, text, callId = '', name = '' } = part
      const isFirst = text.length === event.text.length
      const start = {
        event: 'content-block-start',
        index: event.part,
        content: { ...pieceOf(kind, ''), ...(kind === 'tool' && { id: callId, name }) },
      }
      return framesAt(originOf(state, event.id), event.id, [...(isFirst ? [start] : []), deltaOf(kind, event)])
    }
    case 'message.end': {
      const { id, usage, finishReason } = event
      const tail = {
        ...(finishReason !== undefined && { reason: finishReason }),
        ...(usage && { usage: writeUsage(usage) }),
      }
      return framesAt(originOf(state, id), id, [{ event: 'message-finish', ...tail }])
    }
    case 'message': {
      const { message } = event
      // What a caller sends is told by the state.
      if (message.role === 'user' || event.node === undefined) return []
      const text = { event: 'content-block-delta', index: 0, delta: { type: 'text-delta', text: message.content } }
      return framesAt(event, message.id, [
        startOf(message),
        ...(message.content === '' ? [] : [text]),
        { event: 'message-finish' },
      ])
    }
    default:
      return []
  }
}

/** Deltas and ends do not repeat where they come from. */
function originOf(state: ThreadState, id: string): Pick<RunEvent, 'ns' | 'node' | 'task'> {
  const { node, task, namespace } = messageOf(state, id)?.meta ?? {}
  return {
    ...(node !== undefined && { node }),
    ...(task !== undefined && { task }),
    ...(namespace !== undefined && { ns: namespace }),
  }
}

function startOf({ id, role, name, toolCallId }: Pick<Message, 'id' | 'role' | 'name' | 'toolCallId'>): Fields {
  return {
    event: 'message-start',
    id,
    role: MESSAGE_TYPES[role],
    ...(name !== undefined && { name }),
    ...(toolCallId !== undefined && { tool_call_id: toolCallId }),
  }
}

function pieceOf(kind: StreamedKind, text: string): Fields {
  if (kind === 'tool') return { type: 'tool_call_chunk', args: text }
  return { type: kind, [kind]: text }
}

function deltaOf(kind: StreamedKind, { part, text }: MessageDelta): Fields {
  const type = kind === 'tool' ? 'tool-call-delta' : `${kind}-delta`
  return { event: 'content-block-delta', index: part, delta: { ...pieceOf(kind, text), type } }
}
