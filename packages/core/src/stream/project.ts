import {
  isWithin,
  ROOT,
  type MessageDelta,
  type MessageEnd,
  type MessageMeta,
  type MessagePut,
  type MessageStart,
  type Namespace,
  type RunEvent,
  type StreamMode,
} from '@rivulet/protocol/model'
import { pick } from '../state/pick.ts'
import type { Values } from '../state/schema.ts'
import type { CheckpointChunk, MessageMetadata, StreamedMessage, TaskChunk } from './chunks.ts'
import type { Wants } from './sink.ts'

/** What one reader wants of what a run tells. */
export interface StreamFilter {
  /** Only what these nodes produced; `values` and checkpoints belong to no node and pass. */
  readonly nodes?: readonly string[]
  /** Only messages with one of these tags. */
  readonly tags?: readonly string[]
  /** Only these namespaces and what lies below them; wire form (`node:task|…`) or just the outermost node's name. */
  readonly namespaces?: readonly string[]
}

/** What must be built for these modes. */
export function wantsFor(modes: readonly StreamMode[], subgraphs: boolean): Wants {
  const has = (...names: StreamMode[]) => names.some((name) => modes.includes(name))
  return {
    values: has('values'),
    updates: has('updates'),
    tasks: has('tasks', 'debug'),
    taskDetails: has('tasks', 'debug'),
    checkpoints: has('checkpoints', 'debug'),
    messages: has('messages'),
    custom: has('custom', 'tools'),
    tools: has('tools'),
    subgraphs,
  }
}

/** A filter, and which state keys to show. */
export interface Selection extends StreamFilter {
  readonly outputKeys?: string | readonly string[] | undefined
}

/** Takes one chunk of one mode. */
export type ChunkSink = (ns: Namespace, mode: StreamMode, chunk: unknown) => void

/** What is kept of a message between its first and its last chunk. */
interface Open {
  readonly metadata: MessageMetadata
  readonly role: StreamedMessage['role']
  readonly ns: Namespace
  readonly passes: boolean
  readonly kinds: Map<number, { kind: string; index: number }>
}

/** Turns events into the chunks of the modes asked for, in the one order there is. */
export class Projection {
  readonly #modes: ReadonlySet<StreamMode>
  readonly #filter: Selection
  readonly #sink: ChunkSink
  readonly #open = new Map<string, Open>()
  /** Names of the tools that run, by call id. */
  readonly #tools = new Map<string, string>()

  constructor(modes: readonly StreamMode[], filter: Selection, sink: ChunkSink) {
    this.#modes = new Set(modes)
    this.#filter = filter
    this.#sink = sink
  }

  /** Takes an event; `values` is the full state beside a `values` event. */
  take(event: RunEvent, values: Values | undefined): void {
    switch (event.type) {
      case 'message.delta':
        return this.#delta(event)
      case 'custom':
        if (!this.#passes(event)) return
        if (this.#modes.has('custom')) this.#put(event, 'custom', event.data)
        if (event.toolCallId !== undefined)
          this.#tool(event, {
            event: 'on_tool_event',
            toolCallId: event.toolCallId,
            name: this.#tools.get(event.toolCallId) ?? '',
            data: event.data,
          })
        return
      case 'values':
        if (this.#modes.has('values') && this.#inNamespace(event))
          this.#put(event, 'values', this.#picked({ ...values }))
        return
      case 'updates':
        if (this.#passes(event))
          this.#updates(event.ns, {
            [event.node!]: this.#picked(event.update),
            ...(event.cached && { __metadata__: { cached: true } }),
          })
        return
      case 'interrupt':
        this.#updates(event.ns, { __interrupt__: [{ id: event.id, value: event.value }] })
        return
      case 'message.start':
        return this.#start(event)
      case 'message.end':
        return this.#end(event)
      case 'message':
        return this.#message(event)
      default:
        return this.#rare(event)
    }
  }

  #rare(event: RunEvent): void {
    switch (event.type) {
      case 'task.start': {
        const { task: id, node: name, input, triggers = [] } = event
        return this.#task(event, 'task', { id, name, input, triggers, interrupts: [] })
      }
      case 'task.end': {
        const { task: id, node: name, result = {}, error = null, interrupts = [], outcome } = event
        // A task that ended before the run was interrupted tells its result in `updates` only, as it did not run.
        return this.#task(event, 'task_result', { id, name, result, error, interrupts, outcome })
      }
      case 'checkpoint': {
        const { id, parent, values, next, source, step = 0 } = event
        const chunk: CheckpointChunk = { id, parentId: parent, values, next, metadata: { source, step } }
        if (!this.#inNamespace(event)) return
        if (this.#modes.has('checkpoints')) this.#put(event, 'checkpoints', chunk)
        return this.#debug(event, 'checkpoint', chunk)
      }
      case 'message.remove':
        return this.#withdrawn(event.id)
      case 'tool.start':
        this.#tools.set(event.id, event.name)
        return this.#tool(event, { event: 'on_tool_start', toolCallId: event.id, name: event.name, input: event.input })
      case 'tool.end': {
        this.#tools.delete(event.id)
        const { id: toolCallId, name, output, error } = event
        const chunk =
          error === undefined
            ? { event: 'on_tool_end', toolCallId, name, output }
            : { event: 'on_tool_error', toolCallId, name, error }
        return this.#tool(event, chunk)
      }
      default:
    }
  }

  #start(event: MessageStart): void {
    const { id, role, name, meta } = event
    const metadata = metadataOf(event, meta, meta?.model ?? name)
    const passes = this.#modes.has('messages') && this.#passes(event) && this.#tagged(meta)
    this.#open.set(id, { metadata, role, ns: event.ns ?? ROOT, passes, kinds: new Map() })
  }

  #delta({ id, part, text, kind, callId, name }: MessageDelta): void {
    const open = this.#open.get(id)
    if (open === undefined || !open.passes) return
    if (kind !== undefined && kind !== 'text') {
      const index = [...open.kinds.values()].filter((known) => known.kind === kind).length
      open.kinds.set(part, { kind, index })
    }
    const known = open.kinds.size === 0 ? undefined : open.kinds.get(part)
    const chunk: StreamedMessage = { id, role: open.role, content: known === undefined ? text : '' }
    if (known?.kind === 'reasoning') chunk.reasoning = text
    if (known?.kind === 'tool') {
      const named = { ...(callId !== undefined && { id: callId }), ...(name !== undefined && { name }) }
      chunk.toolCallChunks = [{ index: known.index, ...named, args: text }]
    }
    this.#sink(open.ns, 'messages', [chunk, open.metadata])
  }

  #end({ id, usage, finishReason, metadata, parts }: MessageEnd): void {
    const open = this.#open.get(id)
    this.#open.delete(id)
    if (open === undefined || !open.passes) return
    if (usage === undefined && parts === undefined && finishReason === undefined && metadata === undefined) return
    const chunk: StreamedMessage = {
      id,
      role: open.role,
      content: '',
      ...(usage && { usage }),
      ...(finishReason !== undefined && { finishReason }),
      ...(metadata && { metadata }),
      ...(parts && { parts }),
    }
    this.#sink(open.ns, 'messages', [chunk, open.metadata])
  }

  /** What was told of a message that streamed does not hold: another takes its place. */
  #withdrawn(id: string): void {
    const open = this.#open.get(id)
    this.#open.delete(id)
    if (open?.passes)
      this.#sink(open.ns, 'messages', [{ id, role: open.role, content: '', restart: true }, open.metadata])
  }

  /** A whole message; one without a node is input or history, which this mode does not show. */
  #message(event: MessagePut): void {
    if (event.node === undefined || !this.#modes.has('messages') || !this.#passes(event)) return
    const { meta, ...message } = event.message
    if (this.#tagged(meta)) this.#put(event, 'messages', [message, metadataOf(event, meta, event.node)])
  }

  #updates(ns: Namespace | undefined, chunk: unknown): void {
    if (this.#modes.has('updates')) this.#sink(ns ?? ROOT, 'updates', chunk)
  }

  /** The state keys that this reader wants. */
  #picked(state: unknown): unknown {
    const { outputKeys } = this.#filter
    if (outputKeys === undefined || typeof state !== 'object' || state === null) return state
    if (typeof outputKeys === 'string') return (state as Record<string, unknown>)[outputKeys]
    return pick(state, (key) => outputKeys.includes(key))
  }

  #task(event: RunEvent, type: 'task' | 'task_result', chunk: TaskChunk): void {
    if (!this.#passes(event)) return
    if (this.#modes.has('tasks')) this.#put(event, 'tasks', chunk)
    this.#debug(event, type, chunk)
  }

  #debug(event: RunEvent, type: string, payload: unknown): void {
    if (!this.#modes.has('debug')) return
    this.#put(event, 'debug', { step: event.step ?? 0, type, timestamp: new Date().toISOString(), payload })
  }

  #tool(event: RunEvent, chunk: unknown): void {
    if (this.#modes.has('tools') && this.#passes(event)) this.#put(event, 'tools', chunk)
  }

  #put({ ns = ROOT }: RunEvent, mode: StreamMode, chunk: unknown): void {
    this.#sink(ns, mode, chunk)
  }

  #passes(event: RunEvent): boolean {
    const { nodes } = this.#filter
    return (nodes === undefined || (event.node !== undefined && nodes.includes(event.node))) && this.#inNamespace(event)
  }

  #inNamespace({ ns = ROOT }: RunEvent): boolean {
    const { namespaces } = this.#filter
    if (namespaces === undefined) return true
    return namespaces.some((wanted) => {
      if (wanted === '') return ns.length === 0
      return isWithin(ns, wanted.split('|')) || ns[0]?.slice(0, ns[0].lastIndexOf(':')) === wanted
    })
  }

  #tagged(meta: MessageMeta | undefined): boolean {
    const { tags } = this.#filter
    return tags === undefined || tags.some((tag) => meta?.tags?.includes(tag))
  }
}

function metadataOf(
  event: MessageStart | MessagePut,
  meta: MessageMeta | undefined,
  name: string | undefined,
): MessageMetadata {
  return Object.freeze({
    ...meta?.metadata,
    ...(meta?.checkpoint !== undefined && { checkpoint: meta.checkpoint }),
    langgraph_node: event.node ?? '',
    langgraph_step: event.step ?? 0,
    tags: meta?.tags ?? [],
    name,
    namespace: event.ns ?? ROOT,
    run: event.run,
    attempt: event.attempt ?? 1,
  })
}
