import { isolate, type Client, type ThreadStore } from '@rivulet/client'
import { toRivuletError, type GraphState, type RivuletError, type RivuletEvent } from '@rivulet/protocol'
import { foundCheckpoints } from './found-checkpoints.ts'
import { forkOf, type FetchedHistory, type Fork } from './history-tree.ts'

/** The past of one thread, fetched as far back as somebody needs it. */
export interface ThreadHistory {
  /** What is known of a message; the same object while that is the same. */
  at(messageId: string): KnownFork
  /** Calls back when more is known; the past of this message is fetched, and kept up to date, until then. */
  watch(messageId: string, fn: () => void): () => void
}

/** Where the conversation forked at a message, as far as is known; see {@link forkOf}. */
export interface KnownFork {
  readonly fork: Fork | undefined
  /** Why the past could not be fetched. */
  readonly error: RivuletError | undefined
}

/** States fetched at a time. */
const PAGE = 20

const histories = new WeakMap<ThreadStore, ThreadHistory>()

/** The history of a thread; one for all who ask. */
export function historyOf(client: Client, thread: ThreadStore): ThreadHistory {
  const history = histories.get(thread)
  if (history !== undefined) return history
  const made = createHistory(client, thread)
  histories.set(thread, made)
  foundCheckpoints.set(thread, (messageId) => made.at(messageId).fork?.checkpointId)
  return made
}

function createHistory(client: Client, thread: ThreadStore): ThreadHistory {
  const watchers = new Map<() => void, string>()
  const known = new Map<string, { from: FetchedHistory; at: KnownFork }>()
  let fetched: FetchedHistory = { states: [], isComplete: false }
  let error: RivuletError | undefined
  let isOutdated = true
  let fetching: AbortController | undefined
  let stopListening = () => {}

  const find = (messageId: string) => forkOf(fetched, thread.facts.messagesKey, messageId)
  const isWanted = () =>
    isOutdated || (!fetched.isComplete && [...watchers.values()].some((id) => find(id) === 'unknown'))
  const fetchPage = async (id: string, signal: AbortSignal) => {
    const { states } = fetched
    const oldest = isOutdated ? undefined : states.at(-1)?.checkpointId
    const page = await client.threads.history(id, { limit: PAGE, before: oldest, outline: true, signal })
    if (signal.aborted) return
    fetched = isOutdated ? renewed(states, page, fetched.isComplete) : extended(states, page)
    isOutdated = false
  }
  const fetchAll = async (id: string, signal: AbortSignal) => {
    try {
      // Each page says whether another is needed.
      while (!signal.aborted && isWanted()) await fetchPage(id, signal)
      error = undefined
    } catch (thrown) {
      if (signal.aborted) return
      error = toRivuletError(thrown)
      isOutdated = false
    }
    if (signal.aborted) return
    fetching = undefined
    for (const fn of watchers.keys()) isolate(fn)
  }
  const fetchWanted = () => {
    if (fetching !== undefined || thread.id === undefined || watchers.size === 0 || !isWanted()) return
    fetching = new AbortController()
    void fetchAll(thread.id, fetching.signal)
  }
  const outdate = () => {
    isOutdated = true
    fetching?.abort()
    fetching = undefined
    fetchWanted()
  }
  return {
    at(messageId) {
      const last = known.get(messageId)
      if (last?.from === fetched && last.at.error === error) return last.at
      const found = find(messageId)
      const fork = found === 'unknown' ? undefined : found
      const isSame = last?.at.error === error && JSON.stringify(fork) === JSON.stringify(last?.at.fork)
      const at = isSame && last !== undefined ? last.at : { fork, error }
      known.set(messageId, { from: fetched, at })
      return at
    },
    watch(messageId, fn) {
      const watcher = () => fn()
      if (watchers.size === 0) stopListening = thread.listen((event) => changesHistory(event) && outdate())
      watchers.set(watcher, messageId)
      // What happened while nobody watched was not heard of.
      if (watchers.size === 1) outdate()
      else fetchWanted()
      return () => {
        watchers.delete(watcher)
        if (watchers.size > 0) return
        known.clear()
        stopListening()
        fetching?.abort()
        fetching = undefined
      }
    },
  }
}

function changesHistory(event: RivuletEvent): boolean {
  if (event.type === 'sync') return event.phase === 'snapshot'
  return event.type === 'run.end' || (event.type === 'rewind' && 'to' in event)
}

/** What was known, with a newer page on top; without what was known when there is a hole between the two. */
function renewed(known: readonly GraphState[], page: readonly GraphState[], wasComplete: boolean): FetchedHistory {
  const ids = new Set(known.map(({ checkpointId }) => checkpointId))
  const fresh = page.filter(({ checkpointId }) => !ids.has(checkpointId))
  const isJoined = fresh.length < page.length
  if (!isJoined) return { states: page, isComplete: page.length < PAGE }
  return { states: [...fresh, ...known], isComplete: wasComplete }
}

function extended(known: readonly GraphState[], page: readonly GraphState[]): FetchedHistory {
  return { states: [...known, ...page], isComplete: page.length < PAGE }
}
