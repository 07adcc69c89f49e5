import {
  activeTasks,
  currentRun,
  errorFromWire,
  interruptsOf,
  messageIdsOf,
  messageOf,
  messagesOf,
  progressOf,
  ROOT,
  toolCallOf,
  toolCallsOf,
  valuesOf,
  type CustomEntry,
  type MessageFilter,
  type Namespace,
  type PendingInterrupt,
  type RivuletError,
  type TaskRun,
  type ThreadState,
  type ToolCallState,
  type TypedGraph,
  type TypesOf,
  type UntypedGraph,
  type WireError,
} from '@rivulet/protocol'
import type { ConnectionHealth } from '../connection/health.ts'
import { initialMessages, isUnread, receivedIds, receivedMessages, type ThreadFacts } from './facts.ts'
import { CALLS, LISTS, RUN, TEXT, type Facet } from './facets.ts'
import { memo } from './memo.ts'
import { layIdsOver, layOver, type Outgoing, type ShownMessage } from './outbox.ts'
import type { StartRequest } from '../transports/transport.ts'

/**
 * What the thread is doing. `loading`: its past is being fetched. `connecting`: a run was asked for and has not begun.
 * `streaming`: a run is under way, whoever started it. `interrupted`: it waits for a person. `error`: the last run or
 * the connection failed. `idle`: none of these.
 */
export type ThreadStatus = 'idle' | 'loading' | 'connecting' | 'streaming' | 'interrupted' | 'error'

/** A question to a person, typed by the graph. */
export type PendingInterruptOf<G extends TypedGraph> = Omit<PendingInterrupt, 'value'> & {
  readonly value: TypesOf<G>['interrupt']
}

/** What was written last under a name, typed by the graph. */
export type CustomEntryOf<G extends TypedGraph> = Omit<CustomEntry, 'data'> & { readonly data: TypesOf<G>['custom'] }

/** A graph's state, any part of which may not be there yet. */
export type ValuesOf<G extends TypedGraph> = TypesOf<G>['state'] extends infer S
  ? { readonly [K in keyof S]?: S[K] }
  : never

/**
 * A thread at one moment. Immutable and built as it is read: what nobody reads is not made. A part that did not change
 * is the same object as in the snapshot before.
 */
export interface ThreadSnapshot<G extends TypedGraph = UntypedGraph> {
  readonly threadId: string | undefined
  /** The page's messages in order: the thread's, and those on their way. */
  readonly messages: readonly ShownMessage[]
  /** The graph's state, message lists included; the initial values, or `{}`, until there is one. */
  readonly values: ValuesOf<G>
  readonly status: ThreadStatus
  /** Whether a run is under way or about to be. */
  readonly isLoading: boolean
  /** Why `status` is `error`. */
  readonly error: RivuletError | undefined
  /** Questions nobody has answered yet. */
  readonly interrupts: readonly PendingInterruptOf<G>[]
  /** Tool calls of the page's messages, in their order. */
  readonly toolCalls: readonly ToolCallState[]
  /** Tasks that run now: `node`, `step`, `origin.ns`. */
  readonly activeNodes: readonly TaskRun[]
  readonly connection: ConnectionHealth
  /** Runs of this store that wait behind another one, in order; the one that is being started is not among them. */
  readonly queue: readonly QueuedRun[]
  /** What the thread's events add up to; the protocol package has the functions that read it. */
  readonly state: ThreadState
  /** One message by its id, or the provider's id. */
  readonly message: (id: string) => ShownMessage | undefined
  /** Ids of the messages on the page; with a filter, of one list, node or tag. */
  readonly messageIds: (filter?: MessageFilter) => readonly string[]
  /** The messages of {@link ThreadSnapshot.messageIds}. */
  readonly messagesWhere: (filter?: MessageFilter) => readonly ShownMessage[]
  /** State of the graph in this namespace. */
  readonly valuesAt: (ns: Namespace) => Readonly<Record<string, unknown>>
  /** One tool call by its id, wherever its message stands. */
  readonly toolCall: (id: string) => ToolCallState | undefined
  /** The last value written under this name, or in this tool call by `ctx.progress`. */
  readonly progress: (nameOrToolCallId: string) => CustomEntryOf<G> | undefined
}

/** The snapshot of these facts; `reads` is told what is read of it, and `readsMessage` which single messages. */
export function snapshotOf(
  facts: ThreadFacts,
  reads: (...facets: readonly Facet[]) => void = () => {},
  readsMessage: (id: string) => void = () => {},
): ThreadSnapshot {
  const { threadId, connection, state, starts, outbox, messagesKey: key, initialValues } = facts
  const messages = () => {
    reads(...TEXT)
    return layOver(receivedMessages(facts), outbox)
  }
  const valuesAt = (ns: Namespace) => {
    reads(...TEXT)
    return (ns.length === 0 && isUnread(facts) ? initialValues : undefined) ?? valuesOf(state, ns)
  }
  const status = () => {
    reads(...RUN)
    return statusOf(facts)
  }
  const run = currentRun(state)
  /** Whether the filter asks for the page's own list, over which messages on their way are laid. */
  const isPage = (filter: MessageFilter) =>
    filter.node === undefined && filter.tag === undefined && !filter.ns?.length && (filter.key ?? key) === key
  return {
    get threadId() {
      reads('threadId')
      return threadId
    },
    get connection() {
      reads('connection')
      return connection
    },
    get state() {
      reads('state')
      return state
    },
    get messages() {
      return messages()
    },
    get values() {
      return valuesAt(ROOT)
    },
    get status() {
      return status()
    },
    get isLoading() {
      return ['streaming', 'connecting'].includes(status())
    },
    get error() {
      reads(...RUN)
      return facts.failure ?? (run?.error && starts.length === 0 ? errorOf(run.error) : undefined)
    },
    get interrupts() {
      reads('interrupts')
      return interruptsOf(state)
    },
    get toolCalls() {
      reads(...CALLS)
      return toolCallsOf(state, { key })
    },
    get activeNodes() {
      reads('tasks')
      return activeTasks(state)
    },
    get queue() {
      reads('starts', 'outbox', 'runs')
      return queueOf(starts, outbox, run?.status === 'running')
    },
    message(id) {
      const known = state.aliases.get(id)
      readsMessage(id)
      if (known !== undefined) readsMessage(known)
      return (
        messageOf(state, id) ??
        outbox.find(({ message }) => message.id === id)?.message ??
        (isUnread(facts) ? initialMessages(facts).find((message) => message.id === id) : undefined)
      )
    },
    messageIds(filter = {}) {
      reads(...LISTS)
      return isPage(filter) ? layIdsOver(receivedIds(facts), outbox) : messageIdsOf(state, { key, ...filter })
    },
    messagesWhere(filter = {}) {
      reads(...TEXT)
      return isPage(filter) ? messages() : messagesOf(state, { key, ...filter })
    },
    valuesAt,
    toolCall(id) {
      reads(...CALLS)
      return toolCallOf(state, id)
    },
    progress(name) {
      reads('custom')
      return progressOf(state, name)
    },
  }
}

function statusOf({ state, starts, failure, connection: { phase } }: ThreadFacts): ThreadStatus {
  const run = currentRun(state)
  if (run?.status === 'running' && phase !== 'closed') return 'streaming'
  if (starts.length > 0) return 'connecting'
  if (failure || run?.status === 'error') return 'error'
  // A state that was shown again may ask, whatever run ended last.
  if (run?.status !== 'cancelled' && state.interrupts.size > 0) return 'interrupted'
  return phase !== 'idle' && phase !== 'closed' && state.log === '' && !run ? 'loading' : 'idle'
}

/** A run that waits behind another one. */
export interface QueuedRun {
  readonly run: string
  /** The user's messages that it brings. */
  readonly messages: readonly ShownMessage[]
}

const NO_QUEUE: readonly QueuedRun[] = []

const queueOf: (
  starts: readonly StartRequest[],
  outbox: readonly Outgoing[],
  isBehind: boolean,
) => readonly QueuedRun[] = memo((starts, outbox, isBehind) => {
  const queue = starts.slice(isBehind ? 0 : 1).map(({ run }) => ({
    run,
    messages: outbox.filter((item) => item.run === run).map(({ message }) => message),
  }))
  return queue.length > 0 ? queue : NO_QUEUE
})

const errorOf: (error: WireError) => RivuletError = memo(errorFromWire)

/** Whether two values are the same, or are lists of the same items. */
export function sameItems(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
  return a.every((item, i) => Object.is(item, b[i]))
}
