import {
  emptyState,
  foldAll,
  parseCursor,
  randomId,
  RivuletError,
  serializeState,
  type Frame,
  type RunEvent,
  type StampedEvent,
  type ThreadState,
} from '@rivulet/protocol'
import type { OpenRequest, StartRequest, Transport } from '../transports/transport.ts'

/** A run on somebody else's backend. */
export interface ForeignRun {
  /**
   * Its events, in groups, up to its `run.end`. The first group comes as soon as the backend has taken the run. Called
   * again after the connection was lost: goes on behind what was yielded before. Throws what an answer stands for.
   */
  read(signal: AbortSignal): AsyncIterable<readonly RunEvent[]>
  /** Stops it where it runs. Without it, to stop means to stop reading, and then `stop` tells its end. */
  cancel?(signal: AbortSignal | undefined): Promise<void>
  stop?(): readonly RunEvent[]
}

/** A backend that numbers nothing: what it says becomes events, and the events of each reader are numbered here. */
export interface ForeignBackend {
  /** A run to be started when it is read; `state` is what the reader has of the thread. */
  begin(thread: string, start: StartRequest, state: ThreadState): ForeignRun
  /** What the backend keeps of a thread, for a reader who has nothing of it. */
  recall?(thread: string, signal: AbortSignal): Promise<Recalled>
}

/** A thread as a backend keeps it: what tells of it, and the run that is under way there. */
export interface Recalled {
  events: readonly RunEvent[]
  running?: ForeignRun | undefined
}

/** What one reader was sent: a log of its own, of which only the fold is kept. */
interface Session {
  readonly log: string
  state: ThreadState
  /** Events that were sent last; when the reader comes back, those of them that did not arrive. */
  last: readonly StampedEvent[]
  readonly runs: Map<string, { run: ForeignRun; stop: AbortController }>
  /** A run that somebody else started, and that is not over. */
  found: ForeignRun | undefined
}

/** Readers whose place is remembered; of the others, whoever has not come back for longest begins anew. */
const KEPT_SESSIONS = 256
/** Runs of a reader that it may come back to. */
const KEPT_RUNS = 8

/** The part of a transport that reads and stops runs, for such a backend. */
export function foreignStreams(backend: ForeignBackend): Required<Pick<Transport, 'open' | 'cancel' | 'heartbeatMs'>> {
  const sessions = new Map<string, Session>()
  return {
    // Most backends say nothing while a model thinks, and a stream that was cut short on purpose is a run lost.
    heartbeatMs: Infinity,
    async *open(request, { signal, after }) {
      const session = sessionAt(sessions, after)
      const id = request.start?.run ?? request.until
      const groups =
        id === undefined
          ? threadOf(backend, session, request.thread, after, signal)
          : runOf(backend, session, request, id, signal)
      let opening: Frame | undefined = openingOf(session, after)
      for await (const events of groups) {
        remember(sessions, session.log, session, KEPT_SESSIONS)
        // Only now: whoever gets a frame knows that its run was taken.
        if (opening !== undefined) yield opening
        opening = undefined
        yield frameOf(session, events)
      }
    },
    async cancel(_thread, id, { signal }) {
      for (const { runs } of sessions.values()) {
        const { run, stop } = runs.get(id) ?? {}
        if (run?.cancel === undefined) stop?.abort()
        else await run.cancel(signal)
      }
    },
  }
}

function sessionAt(sessions: ReadonlyMap<string, Session>, after: string | undefined): Session {
  const cursor = after === undefined ? undefined : parseCursor(after)
  if (cursor === undefined) return { log: randomId(), state: emptyState(), last: [], runs: new Map(), found: undefined }
  const session = sessions.get(cursor.log)
  if (session === undefined) throw new RivuletError('CURSOR_GONE', 'this reader is not remembered')
  // A reader that stopped a run has noted its end by itself.
  if (cursor.seq > session.state.cursor) session.state = { ...session.state, cursor: cursor.seq }
  session.last = session.last.filter(({ seq }) => seq > cursor.seq)
  return session
}

/** A run's events; after it was stopped here, its end. */
async function* runOf(
  backend: ForeignBackend,
  { runs, state }: Session,
  { thread, start }: OpenRequest,
  id: string,
  signal: AbortSignal,
): AsyncGenerator<readonly RunEvent[]> {
  const run = runs.get(id)?.run ?? (start && backend.begin(thread, start, state))
  if (run === undefined) throw new RivuletError('NOT_FOUND', `nothing is known of run ${id}`, { run: id })
  const stop = runs.get(id)?.stop ?? new AbortController()
  remember(runs, id, { run, stop }, KEPT_RUNS)
  try {
    yield* run.read(AbortSignal.any([signal, stop.signal]))
  } catch (error) {
    if (!stop.signal.aborted || signal.aborted) throw error
    yield run.stop?.() ?? [{ type: 'run.end', run: id, status: 'cancelled' }]
  }
}

/** The thread as the backend keeps it and the run it is busy with; then nothing, as what comes next is started here. */
async function* threadOf(
  backend: ForeignBackend,
  session: Session,
  thread: string,
  after: string | undefined,
  signal: AbortSignal,
): AsyncGenerator<readonly RunEvent[]> {
  const { events = [], running }: Partial<Recalled> =
    (after === undefined && (await backend.recall?.(thread, signal))) || {}
  session.found ??= running
  yield events
  if (session.found !== undefined) yield* session.found.read(signal)
  session.found = undefined
  await aborted(signal)
}

/** What a reader is told first: that it begins with nothing, or what it missed. */
function openingOf({ log, last }: Session, after: string | undefined): Frame {
  if (after !== undefined) return { type: 'events', log, events: last }
  const empty = serializeState(emptyState())
  return { type: 'events', log, events: [{ type: 'sync', phase: 'snapshot', log, state: empty, seq: 0 }] }
}

function frameOf(session: Session, events: readonly RunEvent[]): Frame {
  const { log, state } = session
  const stamped = events.map((event, i) => ({ ...event, seq: state.cursor + i + 1 }))
  session.last = stamped
  session.state = foldAll(state, stamped)
  return { type: 'events', log, events: stamped }
}

function remember<T>(items: Map<string, T>, key: string, item: T, kept: number): void {
  items.delete(key)
  items.set(key, item)
  for (const oldest of items.keys()) if (items.size > kept) items.delete(oldest)
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    const stop = () => reject(signal.reason as Error)
    signal.addEventListener('abort', stop, { once: true })
    if (signal.aborted) stop()
  })
}
