import type { Checkpointer } from '@rivulet/core'
import type { EventLog } from '@rivulet/protocol'

/** A thread as a store keeps it. */
export interface StoredThread {
  readonly id: string
  readonly graph: string | undefined
  readonly metadata: Readonly<Record<string, unknown>>
  readonly createdAt: number
  readonly updatedAt: number
  readonly status: 'idle' | 'busy' | 'interrupted' | 'error'
  readonly memory: string
}

/** A run as a store keeps it. */
export interface StoredRun {
  readonly id: string
  readonly graph: string
  readonly status: 'queued' | 'running' | 'done' | 'interrupted' | 'cancelled' | 'error'
  readonly error: unknown
  readonly modes: readonly string[]
  readonly after: string
  readonly fingerprint: string
  readonly createdAt: number
  /** What was asked, as JSON; `undefined` once the run has ended. */
  readonly request: unknown
  readonly attempt: number
  readonly stalls: number
  readonly from: string | undefined
  readonly base: string | undefined
}

/** How a run ended. */
interface StoredEnd {
  readonly status: 'done' | 'interrupted' | 'cancelled' | 'error'
  readonly error: undefined
  readonly thread?: Partial<Pick<StoredThread, 'status' | 'updatedAt'>>
}

/**
 * A store of threads, runs, logs and checkpoints, by structure: the `Store` of `@rivulet/server` is one, with what each
 * of these does in its doc blocks.
 */
export interface StoreUnderTest {
  readonly checkpointer: Checkpointer
  createThread(tenant: string, thread: StoredThread): Promise<{ thread: StoredThread; created: boolean }>
  getThread(tenant: string, thread: string): Promise<StoredThread | undefined>
  listThreads(
    tenant: string,
    query: {
      limit: number
      cursor: string | undefined
      metadata?: Readonly<Record<string, unknown>>
      status?: StoredThread['status']
    },
  ): Promise<{ threads: readonly StoredThread[]; cursor: string | undefined }>
  changeThread(
    tenant: string,
    thread: string,
    change: Partial<Pick<StoredThread, 'graph' | 'metadata' | 'status' | 'updatedAt'>>,
  ): Promise<void>
  deleteThread(tenant: string, thread: string): Promise<boolean>
  openLog(tenant: string, thread: string): Promise<EventLog>
  startRun(
    tenant: string,
    thread: string,
    run: StoredRun,
    maxQueued: number,
  ): Promise<{ readonly kind: 'created' } | { readonly kind: 'queued' | 'exists' | 'busy'; readonly run: StoredRun }>
  getRun(tenant: string, thread: string, run: string): Promise<StoredRun | undefined>
  activeRun(tenant: string, thread: string): Promise<StoredRun | undefined>
  listRuns(
    tenant: string,
    thread: string,
    options: { limit: number; inFlight?: boolean },
  ): Promise<readonly StoredRun[]>
  changeRun(
    tenant: string,
    thread: string,
    run: string,
    change: Partial<Pick<StoredRun, 'attempt' | 'base'>>,
  ): Promise<void>
  endRun(tenant: string, thread: string, run: string, end: StoredEnd): Promise<StoredRun | undefined>
  nextFence(): Promise<number>
}

/** Makes an empty store. */
export type MakeStore = () => StoreUnderTest | Promise<StoreUnderTest>

/** A thread with plain fields. */
export function newThread(id: string, more: Partial<StoredThread> = {}): StoredThread {
  const times = { createdAt: 1, updatedAt: 1 }
  return { id, graph: undefined, metadata: {}, ...times, status: 'idle', memory: `memory of ${id}`, ...more }
}

/** A run with plain fields. */
export function newRun(id: string, more: Partial<StoredRun> = {}): StoredRun {
  return {
    id,
    graph: 'g',
    status: 'running',
    error: undefined,
    modes: [],
    after: 'log.0',
    fingerprint: 'f',
    createdAt: 1,
    request: { graph: 'g', input: { text: '𝕏 "quoted" \u0000', deep: [1, null] } },
    attempt: 1,
    stalls: 0,
    from: undefined,
    base: undefined,
    ...more,
  }
}

/** A run that ended well. */
export const DONE: StoredEnd = { status: 'done', error: undefined }
