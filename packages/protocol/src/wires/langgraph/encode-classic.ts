import type { WireError } from '../../errors.ts'
import type { Custom, MessageDelta, RunEvent } from '../../events/event.ts'
import { messageOf, valuesOf } from '../../fold/read.ts'
import type { ThreadState } from '../../fold/state.ts'
import type { Message, MessageMeta } from '../../messages/message.ts'
import { formatNamespace, ROOT, taskSegment, type Namespace } from '../../namespace.ts'
import { type Fields } from '../fields.ts'
import { writeDict, writeMessages, writePart, writeUsage } from './write-dict.ts'

/** One block of a foreign event stream, its data as a value. */
export interface WireBlock {
  event: string
  data: unknown
}

/** A mode of LangGraph's classic stream that can be written. */
export type LangGraphMode = 'values' | 'updates' | 'messages-tuple' | 'custom' | 'tools' | 'tasks' | 'checkpoints'

/** Whose stream is written, and what of it. */
export interface LangGraphEncoderOptions {
  /** Default: all that can be written. */
  modes?: readonly LangGraphMode[]
  /** Whether what happens below the root is written too. Default `true`. */
  subgraphs?: boolean
  /** Fields of every message's metadata: thread, graph, assistant. */
  metadata?: Fields
}

/** Writes one run in the frames of LangGraph's classic stream. */
export interface LangGraphEncoder {
  /** What to send for an event; `state` is what the thread's events up to this one add up to. */
  encode(event: RunEvent, state: ThreadState): WireBlock[]
}

/** An encoder for one stream: what {@link createLangGraphDecoder} reads, and LangGraph's own clients. */
export function createLangGraphEncoder({
  modes,
  subgraphs = true,
  metadata = {},
}: LangGraphEncoderOptions = {}): LangGraphEncoder {
  const chunks = createChunks(metadata)
  // Any name is looked for in the list of those that were asked for.
  const reads = (mode: string): boolean => modes === undefined || (modes as readonly string[]).includes(mode)
  return {
    encode(event, state) {
      const ns = namespaceOf(event, state)
      if (!subgraphs && ns.length > 0 && event.type !== 'custom') return []
      const suffix = subgraphs && ns.length > 0 ? `|${formatNamespace(ns)}` : ''
      const told = event.type === 'custom' && reads('tools') ? progressOr(event) : blocksOf(event, state)
      return [...chunks.of(event, state), ...told].flatMap(({ event: mode, data }) => {
        const isAlways = mode === 'metadata' || mode === 'error'
        if (!isAlways && !reads(mode === 'messages' ? 'messages-tuple' : mode)) return []
        return { event: isAlways ? mode : `${mode}${suffix}`, data }
      })
    },
  }
}

/** What a tool tells of how far it is has a place of its own, for those who read tools. */
function progressOr({ name, data, toolCallId }: Custom): WireBlock[] {
  if (name !== 'progress' || toolCallId === undefined) return [{ event: 'custom', data }]
  return [{ event: 'tools', data: { event: 'on_tool_event', toolCallId, name, data } }]
}

/** Deltas and ends of messages do not repeat where they come from. */
function namespaceOf(event: RunEvent, state: ThreadState): Namespace {
  const isPiece = event.type === 'message.delta' || event.type === 'message.end'
  return event.ns ?? (isPiece ? metaOf(state, event.id).namespace : undefined) ?? ROOT
}

/** What is known of a message, without building the text of one that streams. */
function metaOf(state: ThreadState, id: string): MessageMeta {
  return state.live.get(id)?.meta ?? messageOf(state, id)?.meta ?? {}
}

/** What is told of an event in every mode but that of messages. */
export function blocksOf(event: RunEvent, state: ThreadState): WireBlock[] {
  switch (event.type) {
    case 'run.start':
      return [{ event: 'metadata', data: { run_id: event.run, attempt: event.attempt ?? 1 } }]
    case 'run.end':
      return event.error === undefined ? [] : [{ event: 'error', data: writeError(event.error) }]
    case 'values':
      return [{ event: 'values', data: writeValues(state, event.ns ?? ROOT) }]
    case 'rewind':
      return 'to' in event ? [{ event: 'values', data: writeValues(state, ROOT) }] : []
    case 'updates':
      return [{ event: 'updates', data: { [event.node ?? '']: writeMessages(event.update) } }]
    case 'interrupt': {
      const data = { __interrupt__: [{ id: event.id, value: event.value }] }
      return [
        { event: 'updates', data },
        { event: 'values', data },
      ]
    }
    case 'custom':
      return [{ event: 'custom', data: event.data }]
    case 'tool.start':
      return [
        {
          event: 'tools',
          data: {
            event: 'on_tool_start',
            toolCallId: event.id,
            name: event.name,
            input: JSON.stringify(event.input ?? null),
          },
        },
      ]
    case 'tool.end': {
      const call = { toolCallId: event.id, name: event.name }
      const end = event.error
        ? { event: 'on_tool_error', error: writeError(event.error) }
        : { event: 'on_tool_end', output: event.output }
      return [{ event: 'tools', data: { ...end, ...call } }]
    }
    case 'task.start':
      return [
        {
          event: 'tasks',
          data: {
            id: event.task,
            name: event.node,
            input: writeMessages(event.input),
            triggers: event.triggers ?? [],
            interrupts: [],
          },
        },
      ]
    case 'task.end':
      return [
        {
          event: 'tasks',
          data: {
            id: event.task,
            name: event.node,
            result: writeMessages(event.result ?? {}),
            interrupts: event.interrupts ?? [],
            error: event.error?.message ?? null,
          },
        },
      ]
    case 'checkpoint':
      return [
        {
          event: 'checkpoints',
          data: { id: event.id, parent_id: event.parent, step: event.step, source: event.source },
        },
      ]
    default:
      return []
  }
}

function writeError({ code, message }: WireError): Fields {
  return { error: code, message }
}

/** A namespace's whole state, its messages as dicts. */
function writeValues(state: ThreadState, ns: Namespace): Fields {
  const lists = state.spaces.get(formatNamespace(ns))?.lists ?? {}
  const entries = Object.entries(valuesOf(state, ns))
  return Object.fromEntries(
    // What stands under a list's key was built of messages.
    entries.map(([key, value]) => [
      key,
      Object.hasOwn(lists, key) ? (value as readonly Message[]).map(writeDict) : value,
    ]),
  )
}

/** Messages as tuples: chunks while they stream, whole ones, and what was taken back. */
function createChunks(common: Fields): { of(event: RunEvent, state: ThreadState): WireBlock[] } {
  /** What was told last of each message; `undefined` while it streams. */
  const told = new Map<string, Message | undefined>()
  let before: ThreadState | undefined
  const tuple = (id: string, state: ThreadState, dict: Fields): WireBlock => {
    told.set(id, state.live.has(id) ? undefined : messageOf(state, id))
    return { event: 'messages', data: [dict, { ...common, ...writeMeta(metaOf(state, id)) }] }
  }
  const chunk = (id: string, state: ThreadState, more: Fields): WireBlock =>
    tuple(id, state, {
      type: 'ai',
      id,
      content: '',
      tool_call_chunks: [],
      additional_kwargs: {},
      response_metadata: {},
      ...more,
    })
  /** Readers add to what they have of an id: what it was must go first. */
  const withdrawal = (id: string): WireBlock[] =>
    told.has(id) || (before !== undefined && messageOf(before, id) !== undefined) ? [removal(id)] : []
  const blocks = (event: RunEvent, state: ThreadState): WireBlock[] => {
    switch (event.type) {
      case 'message.start': {
        const { id, name } = event
        return [...withdrawal(id), chunk(id, state, name === undefined ? {} : { name })]
      }
      case 'message.delta':
        return [chunk(event.id, state, writeDelta(event, state))]
      case 'message.end': {
        const { id, usage, finishReason, parts } = event
        const response = finishReason === undefined ? {} : { response_metadata: { finish_reason: finishReason } }
        const more = parts === undefined ? {} : { content: parts.map(writePart) }
        return [chunk(id, state, { ...more, ...response, ...(usage && { usage_metadata: writeUsage(usage) }) })]
      }
      case 'message': {
        const { id } = event.message
        // What a caller put in is told by the state.
        if (event.node === undefined) return []
        return [...withdrawal(id), tuple(id, state, writeDict(messageOf(state, id) ?? event.message))]
      }
      case 'message.remove':
        told.delete(event.id)
        return [removal(event.id)]
      case 'rewind':
        return [...told].flatMap(([id, last]) => {
          const message = messageOf(state, id)
          if (message === undefined) {
            told.delete(id)
            return [removal(id)]
          }
          if (message === last || message.status === 'streaming') return []
          return [removal(id), tuple(id, state, writeDict(message))]
        })
      default:
        return []
    }
  }
  return {
    of(event, state) {
      const told = blocks(event, state)
      before = state
      return told
    },
  }
}

function removal(id: string): WireBlock {
  return { event: 'messages', data: [{ type: 'remove', id, content: [] }, {}] }
}

function writeDelta({ id, part, text }: MessageDelta, state: ThreadState): Fields {
  const open = state.live.get(id)
  const kind = open?.parts[part]?.kind ?? 'text'
  if (kind === 'text') {
    // Text that goes on after something else is a block of its own, or it would be joined to the first.
    const isFirst = !open?.parts.slice(0, part).some((before) => before.kind === 'text')
    return { content: isFirst ? text : [{ type: 'text', text, index: part }] }
  }
  if (kind === 'reasoning') return { content: [{ type: 'reasoning', reasoning: text, index: part }] }
  const { callId, name, text: whole } = open!.parts[part]!
  const isFirst = whole.length === text.length
  return {
    tool_call_chunks: [{ type: 'tool_call_chunk', index: part, args: text, ...(isFirst && { id: callId, name }) }],
  }
}

function writeMeta({ node, step, namespace = ROOT, task, tags = [], model, run }: MessageMeta): Fields {
  const path = node === undefined ? namespace : [...namespace, task === undefined ? node : taskSegment(node, task)]
  return {
    tags,
    run_id: run,
    ...(step !== undefined && { langgraph_step: step }),
    ...(node !== undefined && { langgraph_node: node }),
    ...(path.length > 0 && { langgraph_checkpoint_ns: path.join('|'), checkpoint_ns: path.join('|') }),
    ...(model !== undefined && { ls_model_name: model }),
  }
}
