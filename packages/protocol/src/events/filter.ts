import type { SerializedState } from '../fold/snapshot.ts'
import type { ThreadState } from '../fold/state.ts'
import type { MessageMeta } from '../messages/message.ts'
import type { StreamMode } from '../modes.ts'
import { isWithin, parseNamespace, ROOT, type Namespace } from '../namespace.ts'
import type { RunEvent } from './event.ts'

/** What a reader wants of a log. What is left out is not filtered by; lists are alternatives, fields add up. */
export interface ReadFilter {
  /** Only what serves these modes. Run starts and ends, rewinds, errors and interrupts always pass. */
  modes?: readonly StreamMode[] | undefined
  /** Only these namespaces and what lies below them. */
  namespaces?: readonly Namespace[] | undefined
  /** Of what a node produces (messages, tool calls, custom values, updates, tasks), only that of these nodes. */
  nodes?: readonly string[] | undefined
  /** Of messages, only those with one of these tags. */
  tags?: readonly string[] | undefined
}

/** Modes an event serves; `always`: a state without it would be wrong whatever the reader asked for. */
const SERVES: Readonly<Record<RunEvent['type'], readonly StreamMode[] | 'always'>> = {
  'run.start': 'always',
  'run.end': 'always',
  rewind: 'always',
  error: 'always',
  interrupt: 'always',
  values: ['values'],
  updates: ['updates'],
  'task.start': ['tasks', 'debug'],
  'task.end': ['tasks', 'debug'],
  checkpoint: ['checkpoints', 'debug'],
  'message.start': ['messages'],
  'message.delta': ['messages'],
  'message.end': ['messages'],
  // `values` carries only ids: whoever reads it without the streaming needs the messages whole.
  message: ['messages', 'values'],
  'message.remove': ['messages', 'values'],
  'tool.start': ['tools'],
  'tool.end': ['tools'],
  custom: ['custom'],
}

/** Whether nothing is filtered out. */
export function passesAll({ modes, namespaces, nodes, tags }: ReadFilter): boolean {
  return modes === undefined && namespaces === undefined && nodes === undefined && tags === undefined
}

/** Whether the filter takes `values` but not the streaming of messages, so that finished ones have to be sent whole. */
export function wantsWholeMessages({ modes }: ReadFilter): boolean {
  return modes !== undefined && modes.includes('values') && !modes.includes('messages')
}

/**
 * A filter for one reader: tells of each event, in their order, whether it passes. Deltas and ends of messages do not
 * repeat where they come from; they pass when their start did, which the filter remembers until the end. `state` is what
 * the log adds up to where the reader begins, for messages that were streaming then. Events of unknown types pass.
 */
export function createEventFilter(filter: ReadFilter, state: ThreadState): (event: RunEvent) => boolean {
  const streaming = new Map<string, boolean>()
  function passesStreaming(id: string): boolean {
    const known = streaming.get(id)
    if (known !== undefined) return known
    const meta = (state.live.get(id) ?? state.settled.get(id)?.message)?.meta
    const passes = meta !== undefined && takesMessage(filter, meta)
    streaming.set(id, passes)
    return passes
  }
  return (event) => {
    if (!takesType(filter, event.type)) return false
    switch (event.type) {
      case 'message.start':
        streaming.set(event.id, takesMessage(filter, { ...event.meta, ...originIn(event) }))
        return passesStreaming(event.id)
      case 'message.delta':
        return passesStreaming(event.id)
      case 'message.end': {
        const passes = passesStreaming(event.id)
        streaming.delete(event.id)
        return passes
      }
      case 'run.end':
        streaming.clear()
        return true
      case 'message':
        return takesMessage(filter, { ...event.message.meta, ...originIn(event) })
      case 'message.remove':
        return takesNamespace(filter, event.ns)
      default:
        return SERVES[event.type] === 'always' || takesOrigin(filter, event)
    }
  }
}

/** The snapshot without what the filter takes out. Runs, interrupts and errors stay, as their events always pass. */
export function filterSnapshot(state: SerializedState, filter: ReadFilter): SerializedState {
  if (passesAll(filter)) return state
  const { modes } = filter
  const takes = (...any: readonly StreamMode[]) => modes === undefined || any.some((mode) => modes.includes(mode))
  const ofNode = (item: { node: string | undefined; origin: { ns: Namespace } }) =>
    takesOrigin(filter, { node: item.node, ns: item.origin.ns })
  const hasMessages = takes('messages', 'values')
  const custom = takes('custom')
  const takesMade = (meta: MessageMeta) => hasMessages && takesMessage(filter, meta)
  const takesSpace = (ns: Namespace) => hasMessages && takesNamespace(filter, ns)
  const { base } = state
  const hidden = new Set<string>()
  return {
    ...state,
    base: {
      ...base,
      spaces: base.spaces.filter(({ ns }) => takesSpace(ns)),
      settled: base.settled.filter(({ message, origin }) =>
        takesMade({ ...message.meta, ...(origin && { namespace: origin.ns }) }),
      ),
    },
    since: state.since.filter((told) => {
      switch (told.type) {
        case 'message.start': {
          const isTaken = takesMade({ ...told.meta, ...originIn(told) })
          if (!isTaken) hidden.add(told.id)
          return isTaken
        }
        case 'message':
          return takesMade({ ...told.message.meta, ...originIn(told) })
        case 'closed':
          return takesMade(told.message.meta ?? {})
        case 'message.remove':
        case 'values':
          return takesSpace(told.ns ?? ROOT)
        case 'task.start':
        case 'task.end':
          return takes('tasks', 'debug') && takesOrigin(filter, told)
        default:
          return true
      }
    }),
    live: state.live.filter(([id]) => !hidden.has(id)),
    values: state.values.filter(([ns]) => takes('values') && takesSpace(parseNamespace(ns))),
    tools: state.tools.filter((tool) => takes('tools') && ofNode(tool)),
    tasks: state.tasks.filter((task) => takes('tasks', 'debug') && ofNode(task)),
    custom: state.custom.filter(([, entry]) => custom && ofNode(entry)),
    recent: state.recent.filter((entry) => custom && ofNode(entry)),
  }
}

function takesType({ modes }: ReadFilter, type: RunEvent['type']): boolean {
  if (modes === undefined) return true
  // A type from a newer version is in no table.
  const served = Object.hasOwn(SERVES, type) ? SERVES[type] : 'always'
  return served === 'always' || served.some((mode) => modes.includes(mode))
}

function takesNamespace({ namespaces }: ReadFilter, ns: Namespace = ROOT): boolean {
  return namespaces === undefined || namespaces.some((above) => isWithin(ns, above))
}

/** Something that names no node, such as the state of the whole graph, is no node's and passes. */
function takesOrigin(filter: ReadFilter, { node, ns }: { node?: string | undefined; ns?: Namespace }): boolean {
  if (!takesNamespace(filter, ns)) return false
  return filter.nodes === undefined || node === undefined || filter.nodes.includes(node)
}

function takesMessage(filter: ReadFilter, { node, namespace, tags = [] }: MessageMeta): boolean {
  return (
    takesNamespace(filter, namespace) &&
    (filter.nodes === undefined || (node !== undefined && filter.nodes.includes(node))) &&
    (filter.tags === undefined || filter.tags.some((tag) => tags.includes(tag)))
  )
}

function originIn({ node, ns }: RunEvent): { node?: string; namespace?: Namespace } {
  return { ...(node !== undefined && { node }), ...(ns !== undefined && { namespace: ns }) }
}
