import type { RunEnd, RunEvent } from '../../events/event.ts'
import { parseSegment, type Namespace } from '../../namespace.ts'
import { fieldsIn, isFields, textOf, type Fields } from '../fields.ts'
import { readCheckpoint } from './decode-classic.ts'
import { readUsage, roleOf } from './dict.ts'
import { createThreadWriter, type RunToRead, type ThreadWriter } from './thread-writer.ts'

/** A decoder of one run in a thread's stream. */
export interface AgentStreamDecoder {
  /** The events that one frame means; none when it means nothing to us, or the run is over. */
  push(frame: unknown): RunEvent[]
  /** The stream is over, whatever it said: with the status that the backend gives. */
  end(status?: RunEnd['status']): RunEvent[]
  /** Whether the run has ended; the next frame that begins one is for another decoder. */
  readonly isOver: boolean
}

/**
 * Reads LangGraph's agent streaming protocol, over server-sent events or a WebSocket: frames with `method` and `params`.
 * Its frames do not say of which run they are: a decoder is for the run that begins next.
 */
export function createAgentStreamDecoder(options: RunToRead): AgentStreamDecoder {
  const writer = createThreadWriter(options)
  const blocks = createBlocks(writer)
  let isOver = false
  const end = (status?: RunEnd['status']): RunEvent[] => {
    isOver = true
    writer.start(1)
    writer.end(status)
    return writer.take()
  }
  const read = (method: string, ns: Namespace, params: Fields, data: Fields): void => {
    switch (method) {
      case 'values':
        return writer.values(ns, data)
      case 'updates':
        return writer.updates(ns, { [textOf(params['node']) ?? '']: data })
      case 'tasks':
        return writer.task(ns, data)
      case 'checkpoints':
        return readCheckpoint(writer, ns, data)
      case 'messages':
        return blocks(ns, data)
      case 'tools':
        return readTool(writer, ns.slice(0, -1), data)
      case 'input.requested':
        return writer.interrupt(ns, textOf(data['interrupt_id']) ?? '', data['payload'])
      default:
        if (method !== 'custom' && !method.startsWith('custom:')) return undefined
        return readCustom(writer, ns, data)
    }
  }
  return {
    push(frame) {
      const { method, params }: Fields = isFields(frame) ? frame : {}
      if (isOver || typeof method !== 'string' || !isFields(params)) return []
      const { namespace, data } = params
      const ns = Array.isArray(namespace) ? namespace.filter((segment) => typeof segment === 'string') : []
      const fields = isFields(data) ? data : {}
      writer.start(1)
      if (method !== 'lifecycle') read(method, ns, params, fields)
      else if (ns.length === 0) {
        const status = ENDS.get(fields['event'])
        if (status === 'error') writer.fail(errorIn(fields['error']))
        if (status !== undefined) return end(status)
      }
      return writer.take()
    },
    end,
    get isOver() {
      return isOver
    },
  }
}

const ENDS: ReadonlyMap<unknown, RunEnd['status']> = new Map<unknown, RunEnd['status']>([
  ['completed', 'done'],
  ['failed', 'error'],
  ['interrupted', 'interrupted'],
])

/** The error may be JSON as text, once more inside of JSON. */
function errorIn(error: unknown): Fields {
  return (typeof error === 'string' ? fieldsIn(error) : undefined) ?? (isFields(error) ? error : { message: error })
}

function readCustom(writer: ThreadWriter, ns: Namespace, { name, payload }: Fields): void {
  const named = typeof name === 'string' ? { name } : {}
  writer.emit({ ...writer.envelope(ns), ...named, type: 'custom', data: payload ?? null })
}

/** Its tools say the same as the classic stream's, under other names. */
function readTool(writer: ThreadWriter, ns: Namespace, data: Fields): void {
  const { event, tool_call_id: toolCallId, tool_name: name, delta, message } = data
  const progress = typeof delta === 'string' ? (fieldsIn(delta) ?? delta) : delta
  const names: Record<string, string> = {
    'tool-started': 'on_tool_start',
    'tool-finished': 'on_tool_end',
    'tool-error': 'on_tool_error',
  }
  writer.tool(ns, { ...data, event: names[String(event)], toolCallId, name, data: progress, error: { message } })
}

/** Messages as blocks of content: begun, grown, finished. */
function createBlocks(writer: ThreadWriter): (ns: Namespace, data: Fields) => void {
  const { messages } = writer
  /** Ids of the messages that grow, by place and model call: further frames do not name them. */
  const ids = new Map<string, string>()
  const begun = new Map<string, Fields>()
  /** Arguments of calls whose id is not known yet. */
  const held = new Map<string, string>()
  return (namespace, data) => {
    const { event, index, run_id: call, content, delta } = data
    const segment = namespace.at(-1)
    const { node, task } = segment === undefined ? {} : parseSegment(segment)
    const from = writer.envelope(namespace.slice(0, -1), { node, task })
    const place = JSON.stringify([namespace, call])
    const id = event === 'message-start' ? textOf(data['id']) : ids.get(place)
    if (id === undefined) return
    const key = JSON.stringify([id, index])
    const block: Fields = isFields(content) ? content : {}
    switch (event) {
      case 'message-start': {
        const [toolCallId, name] = [textOf(data['tool_call_id']), textOf(data['name'])]
        const about = { ...(toolCallId !== undefined && { toolCallId }), ...(name !== undefined && { name }) }
        ids.set(place, id)
        return messages.start({ id, role: roleOf(data) ?? 'assistant', ...about }, from)
      }
      case 'content-block-start':
        begun.set(key, block)
        return append(writer, id, key, block, block)
      case 'content-block-delta': {
        const piece: Fields = isFields(delta) ? delta : {}
        const start = begun.get(key) ?? {}
        const isNameless = textOf(piece['type'])?.startsWith('tool') === true && textOf(start['id']) === undefined
        // Some blocks say only at their end which call they are.
        if (isNameless) return void held.set(key, (held.get(key) ?? '') + (textOf(piece['args']) ?? ''))
        return append(writer, id, key, piece, start)
      }
      case 'content-block-finish': {
        const args = held.get(key)
        if (args !== undefined) append(writer, id, key, { type: 'tool', args }, block)
        return void held.delete(key)
      }
      case 'usage':
        return note(writer, id, undefined, data['usage'])
      case 'message-finish':
        note(writer, id, data['reason'], data['usage'])
        return messages.end(id)
      default:
        return undefined
    }
  }
}

/** What a block's start or one of its deltas adds, told by its type. */
function append({ messages }: ThreadWriter, id: string, key: string, piece: Fields, begun: Fields): void {
  const type = textOf(piece['type']) ?? ''
  if (type.startsWith('text')) messages.append(id, `${key} text`, textOf(piece['text']) ?? '')
  else if (type.startsWith('reasoning')) {
    messages.append(id, `${key} reasoning`, textOf(piece['reasoning']) ?? textOf(piece['text']) ?? '', {
      kind: 'reasoning',
    })
  } else if (type.startsWith('tool')) {
    const call = { kind: 'tool', callId: textOf(begun['id']) ?? '', name: textOf(begun['name']) ?? '' } as const
    messages.append(id, `${key} tool`, textOf(piece['args']) ?? '', call)
  }
}

function note({ messages }: ThreadWriter, id: string, reason: unknown, counted: unknown): void {
  const usage = readUsage(counted)
  messages.note(id, { ...(typeof reason === 'string' && { finishReason: reason }), ...(usage && { usage }) })
}
