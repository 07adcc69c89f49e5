import type { RunEvent, StreamedKind, TaskEnd, TaskStart } from '../../events/event.ts'
import { messageOf, valuesOf } from '../../fold/read.ts'
import type { OpenPart, ThreadState } from '../../fold/state.ts'
import type { Message } from '../../messages/message.ts'
import { ROOT, taskSegment } from '../../namespace.ts'
import type { Fields } from '../fields.ts'
import { blocksOf } from './encode-classic.ts'
import { MESSAGE_TYPES, readCalls, writeMessages, writePart, writeUsage } from './write-dict.ts'

/** One frame of the protocol, without what the connection adds: `event_id`, `seq` and `timestamp`. */
export interface AgentStreamFrame {
  method: string
  params: { namespace: readonly string[]; node?: string; data: unknown }
}

/** Writes a thread in the frames of LangGraph's agent streaming protocol. */
export interface AgentStreamEncoder {
  /**
   * What to send for an event; `state` is what the thread's events up to this one add up to, `before` without it. Default
   * of `before`: the state of the call before this one.
   */
  encode(event: RunEvent, state: ThreadState, before?: ThreadState): AgentStreamFrame[]
}

/** An encoder for one stream: what {@link createAgentStreamDecoder} reads, and LangGraph's own clients. */
export function createAgentStreamEncoder(): AgentStreamEncoder {
  let last: ThreadState | undefined
  return {
    encode(event, state, before = last) {
      last = state
      return [...messageFrames(event, state, before), ...withdrawal(event, state, before), ...otherFrames(event, state)]
    },
  }
}

const LIFECYCLE = { done: 'completed', error: 'failed', interrupted: 'interrupted', cancelled: 'interrupted' } as const
const TASK_ENDS = {
  ok: 'completed',
  cached: 'completed',
  error: 'failed',
  aborted: 'failed',
  interrupted: 'interrupted',
} as const

function otherFrames(event: RunEvent, state: ThreadState): AgentStreamFrame[] {
  const namespace = event.ns ?? ROOT
  const frame = (method: string, data: unknown): AgentStreamFrame[] => [{ method, params: { namespace, data } }]
  switch (event.type) {
    case 'run.start':
      return frame('lifecycle', { event: 'running', graph_name: event.graph })
    case 'run.end': {
      const { status, error } = event
      const told = error && { error: JSON.stringify({ error: error.code, message: error.message }) }
      // Clients stop reading at the end of a run, what they still have to be told too: what comes after it wakes them.
      const values = namespace.length === 0 ? plainFrames({ type: 'values', run: event.run }, state) : []
      return [...frame('lifecycle', { event: LIFECYCLE[status], ...told }), ...values]
    }
    case 'updates':
      return [{ method: 'updates', params: { namespace, node: event.node ?? '', data: writeMessages(event.update) } }]
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
    case 'task.start':
      return [...plainFrames(event, state), taskFrame(event, { event: 'started' })]
    case 'task.end': {
      const { outcome, error } = event
      const told = { event: TASK_ENDS[outcome], ...(error && { error: error.message }) }
      return [...plainFrames(event, state), taskFrame(event, told)]
    }
    case 'checkpoint': {
      // Clients take a checkpoint as that of the state which comes after it.
      const values = namespace.length === 0 ? plainFrames({ type: 'values', run: event.run }, state) : []
      return [...plainFrames(event, state), ...values]
    }
    case 'values':
    case 'rewind':
      return plainFrames(event, state)
    default:
      return []
  }
}

/** What is told as in the classic stream. */
function plainFrames(event: RunEvent, state: ThreadState): AgentStreamFrame[] {
  const { ns: namespace = ROOT } = event
  return blocksOf(event, state).map((block) => ({ method: block.event, params: { namespace, data: block.data } }))
}

function taskFrame(event: TaskStart | TaskEnd, told: Fields): AgentStreamFrame {
  return { method: 'lifecycle', params: { namespace: placeOf(event), data: { ...told, graph_name: event.node } } }
}

/**
 * What an attempt had said goes. The wire has no word for it, but a message goes that a state listed and the next one
 * does not: so it is ended and listed, and then told without.
 */
function withdrawal(event: RunEvent, state: ThreadState, before: ThreadState | undefined): AgentStreamFrame[] {
  if (event.type !== 'rewind' || 'to' in event || before === undefined) return []
  const namespace = event.ns ?? ROOT
  const ids = [...before.live.keys(), ...before.settled.keys()]
  const gone = ids.flatMap((id) => (messageOf(state, id) === undefined ? (messageOf(before, id) ?? []) : []))
  if (gone.length === 0) return []
  const ends = gone.flatMap(({ id, status }) =>
    status === 'streaming'
      ? [{ method: 'messages', params: { namespace: placeOf(originOf(before, id)), data: finished(id) } }]
      : [],
  )
  const values = valuesOf(state, namespace)
  const listed = Array.isArray(values['messages']) ? (values['messages'] as unknown[]) : []
  const told = (messages: readonly unknown[]) => ({
    method: 'values',
    params: { namespace, data: writeMessages({ ...values, messages }) },
  })
  return [...ends, told([...listed, ...gone]), told(listed)]
}

function finished(id: string): Fields {
  return { event: 'message-finish', run_id: id }
}

/** Where a node speaks: its task is a namespace of its own here. */
function placeOf({ ns = ROOT, node, task }: Place): readonly string[] {
  return node === undefined ? ns : [...ns, taskSegment(node, task ?? '')]
}

function messageFrames(event: RunEvent, state: ThreadState, before: ThreadState | undefined): AgentStreamFrame[] {
  const framesAt = (place: Place, id: string, all: readonly Fields[]): AgentStreamFrame[] => {
    const { node } = place
    const from = { namespace: placeOf(place), ...(node !== undefined && { node }) }
    return all.map((data) => ({ method: 'messages', params: { ...from, data: { ...data, run_id: id } } }))
  }
  switch (event.type) {
    case 'message.start': {
      const { id, role, name, toolCallId } = event
      return framesAt(event, id, [startOf({ id, role, ...(name && { name }), ...(toolCallId && { toolCallId }) })])
    }
    case 'message.delta': {
      const part = state.live.get(event.id)?.parts[event.part]
      if (part === undefined) return []
      const isFirst = before?.live.get(event.id)?.parts[event.part] === undefined
      const start = { event: 'content-block-start', index: event.part, content: emptyBlock(part) }
      const delta = deltaOf(part.kind, event.part, event.text)
      return framesAt(originOf(state, event.id), event.id, [...(isFirst ? [start] : []), delta])
    }
    case 'message.end': {
      const { id, usage, finishReason, parts = [] } = event
      const streamed = before?.live.get(id)?.parts ?? []
      const blocks = streamed.map((part, index) => finishOf(part, index))
      const whole = parts.flatMap((part, i) => wholeBlock(writePart(part), streamed.length + i))
      const tail = {
        ...(finishReason !== undefined && { reason: finishReason }),
        ...(usage && { usage: writeUsage(usage) }),
      }
      return framesAt(originOf(state, id), id, [...blocks, ...whole, { event: 'message-finish', ...tail }])
    }
    case 'message': {
      const { message } = event
      // What a caller sends is told by the state.
      if (message.role === 'user' || event.node === undefined) return []
      const blocks = partsOf(message).flatMap((part, index) => [
        { event: 'content-block-start', index, content: emptyBlock(part) },
        deltaOf(part.kind, index, part.text),
        finishOf(part, index),
      ])
      return framesAt(event, message.id, [startOf(message), ...blocks, { event: 'message-finish' }])
    }
    default:
      return []
  }
}

/** Who says something. */
type Place = Pick<RunEvent, 'ns' | 'node' | 'task'>

/** A piece of a message that streams, or would have. */
type Piece = Pick<OpenPart, 'kind' | 'text' | 'callId' | 'name'>

/** What of a whole message could have been streamed, in the order it would have been. */
function partsOf({ content, parts, toolCalls = [] }: Message): Piece[] {
  const none = { callId: undefined, name: undefined }
  const said = parts?.flatMap((part) => ('text' in part ? [{ ...none, kind: part.kind, text: part.text }] : [])) ?? [
    { ...none, kind: 'text' as const, text: content },
  ]
  const calls = toolCalls.map(({ id, name, args }) => ({ kind: 'tool' as const, text: args, callId: id, name }))
  return [...said.filter(({ text }) => text !== ''), ...calls]
}

/** Deltas and ends do not repeat where they come from. */
function originOf(state: ThreadState, id: string): Place {
  const { node, task, namespace } = state.live.get(id)?.meta ?? messageOf(state, id)?.meta ?? {}
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

function emptyBlock({ kind, callId = '', name = '' }: Piece): Fields {
  return kind === 'tool' ? { type: 'tool_call_chunk', args: '', id: callId, name } : { type: kind, [kind]: '' }
}

/** Arguments stand in `content` too: some clients add those up, and know of no such delta. */
function deltaOf(kind: StreamedKind, index: number, text: string): Fields {
  if (kind !== 'tool') return { event: 'content-block-delta', index, delta: { type: `${kind}-delta`, [kind]: text } }
  const content = { type: 'tool_call_chunk', args: text }
  return { event: 'content-block-delta', index, delta: { type: 'tool-call-delta', args: text }, content }
}

/** A block as it is in the end: a call with its arguments read. */
function finishOf({ kind, text, callId = '', name = '' }: Piece, index: number): Fields {
  const [call] = kind === 'tool' ? readCalls([{ id: callId, name, args: text }]) : []
  return { event: 'content-block-finish', index, content: call ?? { type: kind, [kind]: text } }
}

/** What arrives in one piece. */
function wholeBlock(content: Fields, index: number): Fields[] {
  return [
    { event: 'content-block-start', index, content },
    { event: 'content-block-finish', index, content },
  ]
}
