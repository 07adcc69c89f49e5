import type { Envelope, RunEnd, RunEvent } from '../../events/event.ts'
import type { Namespace } from '../../namespace.ts'
import { parseSegment } from '../../namespace.ts'
import { finishReasonOf, piecesOf, readUsage, roleOf } from './dict.ts'
import { type Fields, fieldsOf, isFields, textOf } from '../fields.ts'
import { createThreadWriter, type RunToRead, type ThreadWriter } from './thread-writer.ts'

/** A decoder of one run's stream. */
export interface LangGraphDecoder {
  /**
   * The events that one block of the stream means; none when it means nothing to us. `data` is its JSON. What is of an
   * unknown kind becomes an event of that type, for whoever listens to all.
   */
  push(event: string, data: unknown): RunEvent[]
  /** The run is over: with the status that the backend gives, else the one that its stream tells. */
  end(status?: RunEnd['status']): RunEvent[]
  /** The backend's id of the run, once it was told. */
  readonly runId: string | undefined
}

/**
 * Reads LangGraph's classic stream (`/threads/:id/runs/stream` and `/runs/stream`), of its JavaScript and its Python
 * server, in any set of modes: `values`, `updates`, `messages-tuple`, `messages`, `custom`, `tools`, `tasks`,
 * `checkpoints`.
 */
export function createLangGraphDecoder(options: RunToRead): LangGraphDecoder {
  const writer = createThreadWriter(options)
  const tuples = createTuples(writer)
  let runId: string | undefined
  const read = (mode: string, ns: Namespace, data: unknown): void => {
    if (mode === 'messages') return tuples.read(ns, data)
    if (mode === 'messages/partial' || mode === 'messages/complete') {
      for (const dict of fieldsOf(data)) tuples.whole(ns, dict, mode === 'messages/complete')
      return
    }
    if (mode === 'custom') return writer.emit({ ...writer.envelope(ns), type: 'custom', data })
    if (!isFields(data)) return
    switch (mode) {
      case 'metadata':
        runId = textOf(data['run_id'])
        return writer.start(data['attempt'])
      case 'messages/metadata':
        return tuples.note(ns, data)
      case 'values':
        return writer.values(ns, data)
      case 'updates':
        return writer.updates(ns, data)
      case 'tasks':
        return writer.task(ns, data)
      case 'tools':
        return writer.tool(ns, data)
      case 'checkpoints':
        return readCheckpoint(writer, ns, data)
      case 'error':
        return writer.fail(data)
      default:
        // No type of ours: it is shown to listeners and counted.
        return writer.emit({ ...writer.envelope(ns), type: mode, data } as unknown as RunEvent)
    }
  }
  return {
    push(event, data) {
      const [mode = '', ...ns] = event.split('|')
      if (mode !== 'metadata') writer.start(1)
      read(mode, ns, data)
      return writer.take()
    },
    end(status) {
      writer.start(1)
      writer.end(status)
      return writer.take()
    },
    get runId() {
      return runId
    },
  }
}

/** A checkpoint, without its values. */
export function readCheckpoint(
  writer: ThreadWriter,
  ns: Namespace,
  { id, parent_id: parent, step, source }: Fields,
): void {
  if (typeof id !== 'string') return
  const from = writer.envelope(ns, { step: typeof step === 'number' ? step : undefined })
  const kind = source === 'input' || source === 'update' || source === 'fork' ? source : 'loop'
  writer.emit({
    ...from,
    type: 'checkpoint',
    id,
    ...(typeof parent === 'string' && { parent }),
    source: kind,
    next: [],
  })
}

interface Tuples {
  /** `[message or chunk, metadata]`. */
  read(ns: Namespace, data: unknown): void
  /** A message as it is so far, or at its end. */
  whole(ns: Namespace, dict: Fields, isComplete: boolean): void
  /** Metadata of messages to come, by id. */
  note(ns: Namespace, data: Fields): void
}

function createTuples(writer: ThreadWriter): Tuples {
  const { messages } = writer
  const metadata = new Map<string, Fields>()
  /** Id under which chunks without one go on, by node and task. */
  const lastId = new Map<string, string>()
  let made = 0

  const start = (dict: Fields, id: string, from: Envelope, meta: Fields): void => {
    const tags = (Array.isArray(meta['tags']) ? meta['tags'] : []).filter(isTag)
    const model = textOf(meta['ls_model_name'])
    const name = textOf(dict['name'])
    const about = { ...(tags.length > 0 && { tags }), ...(model && { model }) }
    const has = Object.keys(about).length > 0
    messages.start(
      { id, role: roleOf(dict) ?? 'assistant', ...(name !== undefined && { name }), ...(has && { meta: about }) },
      from,
    )
  }
  const chunk = (dict: Fields, id: string): void => {
    for (const { kind, key, text } of piecesOf(dict)) messages.append(id, key, text, { kind })
    for (const { index, id: callId, name, args } of fieldsOf(dict['tool_call_chunks'])) {
      const call = { kind: 'tool', callId: textOf(callId) ?? '', name: textOf(name) ?? '' } as const
      messages.append(id, `tool ${String(index ?? callId)}`, textOf(args) ?? '', call)
    }
    const usage = readUsage(dict['usage_metadata'])
    const finishReason = finishReasonOf(dict)
    if (usage !== undefined) messages.note(id, { usage })
    if (finishReason !== undefined) messages.note(id, { finishReason })
  }
  return {
    read(ns, data) {
      const [dict, given]: readonly unknown[] = Array.isArray(data) ? data : []
      if (!isFields(dict)) return
      const known = textOf(dict['id'])
      if (known !== undefined && messages.get(known)?.isOpen && isChunk(dict)) return chunk(dict, known)
      const meta = isFields(given) ? given : {}
      const from = originOf(writer, ns, meta)
      if (dict['type'] === 'remove' && typeof dict['id'] === 'string') {
        return writer.emit({ ...writer.envelope(ns), type: 'message.remove', id: dict['id'] })
      }
      const place = JSON.stringify([ns, from.node, from.task])
      const id = known ?? lastId.get(place) ?? `${from.run}-message-${made++}`
      lastId.set(place, id)
      if (!isChunk(dict)) {
        messages.end(id)
        return writer.put({ ...dict, id }, from)
      }
      start(dict, id, from, meta)
      chunk(dict, id)
    },
    whole(ns, dict, isComplete) {
      const { id } = dict
      if (typeof id !== 'string') return
      if (!isComplete) {
        const meta = metadata.get(id) ?? {}
        start(dict, id, originOf(writer, ns, meta), meta)
        for (const { kind, key, text } of piecesOf(dict)) {
          const known = messages.get(id)?.parts.find((part) => part.kind === kind)?.text ?? ''
          if (text.startsWith(known)) messages.append(id, key, text.slice(known.length), { kind })
        }
        return
      }
      messages.end(id)
      writer.put(dict, originOf(writer, ns, metadata.get(id) ?? {}))
    },
    note(_ns, data) {
      for (const [id, about] of Object.entries(data)) {
        const inner = isFields(about) ? about['metadata'] : undefined
        if (isFields(inner)) metadata.set(id, inner)
      }
    },
  }
}

/** JavaScript's chunks are told by having a list of call chunks, Python's by their type. */
function isChunk(dict: Fields): boolean {
  return 'tool_call_chunks' in dict || (textOf(dict['type'])?.endsWith('Chunk') ?? false)
}

/** The runtime's own tags say nothing to a reader. */
function isTag(tag: unknown): tag is string {
  return typeof tag === 'string' && !/^(graph|seq):step/.test(tag)
}

function originOf(writer: ThreadWriter, ns: Namespace, meta: Fields): Envelope {
  const step = meta['langgraph_step']
  const path = textOf(meta['langgraph_checkpoint_ns'])?.split('|').at(-1)
  return writer.envelope(ns, {
    node: textOf(meta['langgraph_node']),
    step: typeof step === 'number' ? step : undefined,
    task: path === undefined ? undefined : parseSegment(path).task || undefined,
  })
}
