import {
  encodeSse,
  formatCursor,
  interruptsOf,
  messageOf,
  parseCursor,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
  type WireError,
} from '@rivulet/protocol'
import {
  createLangGraphEncoder,
  type LangGraphEncoder,
  type LangGraphMode,
  type WireBlock,
  writeMessages,
} from '@rivulet/protocol/wires/langgraph'
import { invalid } from '../http/fields.ts'
import type { PeerMode, PeerView } from './read-run.ts'
import { type Teller, unheard } from './peer-stream.ts'

/** A block that was written: the event it tells of, and which of that event's blocks it is, from 0. */
export interface BlockPlace {
  readonly log: string
  readonly seq: number
  readonly index: number
}

/** Reads a block's id; `undefined` where nothing was written yet (`-1`). Throws `INVALID_INPUT` for what is none. */
export function parseBlockId(id: string): BlockPlace | undefined {
  if (id === '' || id === '-1') return undefined
  const match = /^(.{1,256})-(\d{1,9})$/.exec(id)
  const cursor = match === null ? undefined : parseCursor(match[1]!)
  if (match === null || cursor === undefined) throw invalid('Last-Event-ID is not one that a run’s stream gave')
  return { ...cursor, index: Number(match[2]) }
}

/** Whose stream is told, to whom. */
export interface ClassicOptions {
  readonly run: string
  readonly log: string
  readonly view: PeerView
  /** Fields of every message's metadata. */
  readonly metadata: Readonly<Record<string, unknown>>
  /** The last block that the reader has. */
  readonly after?: BlockPlace | undefined
}

/** Tells one run as LangGraph's classic stream, block by block, with ids to go on from. */
export class ClassicTeller implements Teller {
  readonly #options: ClassicOptions
  readonly #encoder: LangGraphEncoder
  readonly #debug: LangGraphEncoder
  /** Messages of which the reader has a beginning of unknown length: told anew, whole, at their end. */
  #torn: Set<string> | undefined
  /** The log may have merged the pieces of the run's messages, among them those that the reader has. */
  #isMerged = false

  constructor(options: ClassicOptions) {
    this.#options = options
    const { view, metadata } = options
    const { subgraphs } = view
    this.#encoder = createLangGraphEncoder({ modes: view.modes.filter(isWritten), subgraphs, metadata })
    this.#debug = createLangGraphEncoder({ modes: ['tasks', 'checkpoints'], subgraphs })
  }

  event(event: StampedEvent, state: ThreadState, before: ThreadState): string {
    if (event.run !== this.#options.run) return ''
    const { after } = this.#options
    if (after !== undefined && event.seq > after.seq) this.#torn ??= new Set(this.#isMerged ? before.live.keys() : [])
    return this.#written(event.seq, this.#blocks(event, state, before))
  }

  /** What follows the reader's last block was read; `now` is what the thread adds up to after that. */
  crossed(now: ThreadState): void {
    this.#isMerged = now.runs.get(this.#options.run)?.status !== 'running'
  }

  caughtUp(state: ThreadState): string {
    const { run, view } = this.#options
    const known = state.runs.get(run)
    const metadata: WireBlock = { event: 'metadata', data: { run_id: run, attempt: known?.attempt ?? 1 } }
    const values = this.#encode({ type: 'values', run }, state).filter(({ event }) => event === 'values')
    const asked = view.modes.includes('values')
      ? interruptsOf(state).map(({ id, value }) => ({ event: 'values', data: { __interrupt__: [{ id, value }] } }))
      : []
    const open = [...state.live.keys()].flatMap((id) => this.#whole(id, state, run))
    const isOver = known !== undefined && known.status !== 'running'
    return this.#written(state.cursor, [metadata, ...values, ...open, ...asked, ...(isOver ? [END] : [])])
  }

  fatal(error: WireError): string {
    // A reader that may come back is not told that the run failed: it finds out that it goes on.
    return error.retryable === true ? '' : encodeSse({ event: 'error', data: JSON.stringify(toldError(error)) })
  }

  #blocks(event: StampedEvent, state: ThreadState, before: ThreadState): WireBlock[] {
    const torn = this.#torn
    switch (event.type) {
      case 'message.start':
        torn?.delete(event.id)
        return this.#encode(event, state)
      case 'message.delta':
        return torn?.has(event.id) ? [] : this.#encode(unheard(event, before), state)
      case 'message.end':
        return torn?.delete(event.id) ? this.#whole(event.id, state, event.run) : this.#encode(event, state)
      case 'run.end': {
        const cut = [...(torn ?? [])].flatMap((id) => this.#whole(id, state, event.run))
        return [...cut, ...this.#encode(event, state), END]
      }
      default:
        return this.#encode(event, state)
    }
  }

  #encode(event: RunEvent, state: ThreadState): WireBlock[] {
    const { modes } = this.#options.view
    return [
      ...this.#encoder.encode(event, state),
      ...(modes.includes('messages') ? wholeMessages(event, state) : []),
      ...(modes.includes('debug') ? this.#debug.encode(event, state).flatMap((block) => debugOf(event, block)) : []),
    ]
  }

  /** A message in place of what the reader has of it. */
  #whole(id: string, state: ThreadState, run: string): WireBlock[] {
    const message = messageOf(state, id)
    if (message === undefined) return []
    const { node = '', namespace } = message.meta ?? {}
    const told = this.#encode({ type: 'message', run, node, message, ...(namespace && { ns: namespace }) }, state)
    const wasTold = told.some(({ data }) => Array.isArray(data) && isRemoval(data[0]))
    const isTuple = ({ event }: WireBlock): boolean => event === 'messages' || event.startsWith('messages|')
    return wasTold || !told.some(isTuple)
      ? told
      : [{ event: told.find(isTuple)!.event, data: [{ type: 'remove', id, content: [] }, {}] }, ...told]
  }

  #written(seq: number, blocks: readonly WireBlock[]): string {
    const { log, after } = this.#options
    const isKnown = (index: number): boolean =>
      after !== undefined && (seq < after.seq || (seq === after.seq && index <= after.index))
    return blocks
      .map(({ event, data }, index) =>
        isKnown(index)
          ? ''
          : encodeSse({ id: `${formatCursor(log, seq)}-${index}`, event, data: JSON.stringify(data ?? null) }),
      )
      .join('')
  }
}

/** The stream is complete: whatever else ends it, does so before its time. */
const END: WireBlock = { event: 'end', data: null }

function isWritten(mode: PeerMode): mode is PeerMode & LangGraphMode {
  return mode !== 'messages' && mode !== 'debug'
}

function isRemoval(dict: unknown): boolean {
  return typeof dict === 'object' && dict !== null && 'type' in dict && dict.type === 'remove'
}

/** An error as LangGraph's clients read it. */
export function toldError({ code, message }: WireError): object {
  return { error: code, message }
}

/** The mode `messages`: each time the whole message so far. */
function wholeMessages(event: RunEvent, state: ThreadState): WireBlock[] {
  const id = event.type === 'message' ? event.message.id : 'id' in event ? event.id : ''
  const message = messageOf(state, id)
  if (message === undefined || (event.ns ?? message.meta?.namespace ?? []).length > 0) return []
  const told = (name: string): WireBlock => ({ event: `messages/${name}`, data: [writeMessages(message)] })
  switch (event.type) {
    case 'message.start':
      return [{ event: 'messages/metadata', data: { [id]: { metadata: metaOf(message.meta ?? {}) } } }]
    case 'message.delta':
      return [told('partial')]
    case 'message.end':
    case 'message':
      return [told('complete')]
    default:
      return []
  }
}

function metaOf({
  node,
  step,
  tags = [],
  run,
}: {
  node?: string
  step?: number
  tags?: readonly string[]
  run?: string
}) {
  return { tags, run_id: run, langgraph_node: node, langgraph_step: step }
}

const DEBUG_TYPES = { 'task.start': 'task', 'task.end': 'task_result', checkpoint: 'checkpoint' } as const

/** The mode `debug`: tasks and checkpoints in an envelope of their own. */
function debugOf(event: RunEvent, { data, event: name }: WireBlock): WireBlock[] {
  if (event.type !== 'task.start' && event.type !== 'task.end' && event.type !== 'checkpoint') return []
  const [, ...ns] = name.split('|')
  const payload =
    event.type === 'checkpoint'
      ? {
          values: writeMessages(event.values ?? {}),
          next: event.next,
          metadata: { source: event.source, step: event.step },
        }
      : data
  return [{ event: ['debug', ...ns].join('|'), data: { step: event.step, type: DEBUG_TYPES[event.type], payload } }]
}
