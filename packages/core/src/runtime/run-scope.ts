import { formatNamespace, messageOfThrown, RivuletError, type Message, type Namespace } from '@rivulet/protocol/model'
import type { Checkpointer, SavedCheckpoint } from '../checkpoint/checkpointer.ts'
import { revive } from '../checkpoint/revive.ts'
import { assertSavable, type Origin } from '../checkpoint/savable.ts'
import type { Plan } from '../graph/plan.ts'
import type { Sink } from '../stream/sink.ts'
import { Turns } from './turns.ts'

/** Settings of one run that every graph in it shares. */
export interface RunSettings {
  readonly run: string
  readonly threadId: string | undefined
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly context: unknown
  readonly recursionLimit: number
  readonly maxConcurrency: number
  readonly durability: 'sync' | 'async' | 'exit'
  readonly checkpointer: Checkpointer | undefined
  readonly sink: Sink
  readonly interruptBefore: readonly string[]
  readonly interruptAfter: readonly string[]
}

/** A thread and what keeps it. */
export interface Thread {
  readonly id: string
  readonly checkpointer: Checkpointer
}

/** A message on its way. */
export interface Streaming {
  /** Namespace on whose page it stands. */
  readonly page: Namespace
  /** What has arrived of it, as a `cut` message; `undefined` when that is nothing worth keeping. */
  partial(): Message | undefined
}

/** One run from its start to its end: what is shared by the root graph, its subgraphs, their tasks and model calls. */
export class RunScope {
  readonly settings: RunSettings
  /** Where its state is kept, if anywhere. */
  readonly thread: Thread | undefined
  readonly sink: Sink
  readonly run: string
  /** Answers to interrupts by id, given to this run. */
  readonly answers: Map<string, unknown> = new Map()
  /** Why the first of them that did not fit was not taken. */
  refusedAnswer: RivuletError | undefined
  /** Messages as readers last saw them, by id: what a task returns is shown only where it differs. */
  readonly shown: Map<string, Message> = new Map()
  /** Ids of messages told since the root's last commit: by tasks, or by graphs below it. */
  readonly told: Set<string> = new Set()
  /** Ids that providers gave to messages of this run. */
  readonly claimedIds: Set<string> = new Set()
  /** Ids of messages that have started and not ended. */
  readonly openIds: Set<string> = new Set()
  /** Ids of messages that are to be seen only once they are in the state. */
  readonly hiddenIds: Set<string> = new Set()
  /** Messages that models stream right now. */
  readonly streaming: Set<Streaming> = new Set()
  readonly turns: Turns = new Turns()
  /** `run.start` has been told. */
  announced = false
  #stopped: RivuletError | undefined
  readonly #listeners = new Set<(reason: RivuletError) => void>()

  constructor(settings: RunSettings) {
    this.settings = settings
    const { threadId: id, checkpointer } = settings
    this.thread = id === undefined || checkpointer === undefined ? undefined : { id, checkpointer }
    this.sink = settings.sink
    this.run = settings.run
  }

  /** Throws `UNSERIALIZABLE` when these are to be kept and cannot be. */
  checkSavable(values: Readonly<Record<string, unknown>>, origin: Origin): void {
    if (this.thread !== undefined) assertSavable(values, origin)
  }

  /** Why the run was stopped; `undefined` while it goes on. */
  get stopped(): RivuletError | undefined {
    return this.#stopped
  }

  /** Stops the run: everybody who listens is told at once, in order of registration. Later calls change nothing. */
  stop(reason: RivuletError): void {
    if (this.#stopped !== undefined) return
    this.#stopped = reason
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /** Calls `listener` when the run is stopped; the answer takes it off again. Called at once when it already is. */
  onStop(listener: (reason: RivuletError) => void): () => void {
    if (this.#stopped !== undefined) {
      listener(this.#stopped)
      return () => {}
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** The run is over: nobody needs to be told any more. */
  close(): void {
    this.#listeners.clear()
  }

  /** Waits for the reader to catch up; rejects when the run is stopped meanwhile. */
  async waitForRoom(): Promise<void> {
    const room = this.sink.room()
    if (room === undefined) return
    await new Promise<void>((resolve, reject) => {
      const off = this.onStop(reject)
      void room.then(() => {
        off()
        resolve()
      })
    })
  }
}

/** What can be stopped: a run, or a graph of one. */
interface Stoppable {
  onStop(listener: (reason: RivuletError) => void): () => void
}

interface Keeping extends Stoppable {
  readonly scope: RunScope
  readonly ns: Namespace
}

/** What the work answers, or a rejection as soon as it is stopped: a store or a schema that hangs holds nobody up. */
export function untilStopped<T>(stoppable: Stoppable, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const off = stoppable.onStop(reject)
    void work.then(resolve, reject).finally(off)
  })
}

/** Throws `INVALID_INPUT` for limits that no run could keep, and for stops at what is no node. */
export function checkSettings(
  { recursionLimit, maxConcurrency, interruptBefore, interruptAfter }: RunSettings,
  { nodes }: Plan,
): void {
  const limits = { recursionLimit, maxConcurrency }
  for (const [name, limit] of Object.entries(limits)) {
    if (limit >= 1 && (Number.isInteger(limit) || limit === Infinity)) continue
    throw new RivuletError('INVALID_INPUT', `${name} must be a whole number from 1, not ${limit}`)
  }
  for (const name of [...interruptBefore, ...interruptAfter]) {
    if (name === '*' || nodes.has(name)) continue
    const known = [...nodes.keys()].join(', ')
    throw new RivuletError('INVALID_INPUT', `an interrupt is set at "${name}", which is no node; there are: ${known}`)
  }
}

/** The error of a store that failed; an error of ours stays as it is. */
export function storeError(error: unknown): RivuletError {
  if (error instanceof RivuletError) return error
  return new RivuletError('INTERNAL', `the checkpointer failed: ${messageOfThrown(error)}`, { cause: error })
}

/**
 * What is kept of a graph's thread, ready for use: a checkpoint by its id, or the newest. Rejects as soon as the graph is
 * stopped, and with what the store failed with.
 */
export async function savedOf(graph: Keeping, checkpointId?: string): Promise<SavedCheckpoint | undefined> {
  const { thread } = graph.scope
  if (thread === undefined) return undefined
  const getting = thread.checkpointer.get(thread.id, formatNamespace(graph.ns), checkpointId)
  const saved = await untilStopped(
    graph,
    getting.catch((error: unknown) => {
      throw storeError(error)
    }),
  )
  return saved && revive(saved)
}

/** The error of a run that was stopped on purpose; `cause` is the reason given. */
export function cancelled(run: string, reason: unknown): RivuletError {
  return new RivuletError('CANCELLED', 'the run was cancelled', { run, cause: reason })
}
