import { diffOf, patched } from './change.ts'
import type { Checkpoint, Checkpointer, PendingStep, SavedCheckpoint, StateChange } from './checkpointer.ts'

/** A checkpoint as it is held: its state as the difference to its parent's. */
interface Held {
  readonly checkpoint: Omit<Checkpoint, 'values'>
  readonly change: StateChange
  pending: PendingStep
}

interface History {
  readonly held: Map<string, Held>
  /** The newest checkpoint's state, so that the usual read copies nothing. */
  latest: Checkpoint | undefined
}

const NOTHING_PENDING: PendingStep = Object.freeze({ tasks: [], answers: {} })

/** Keeps threads in this process's memory: each checkpoint costs what changed, whatever the size of the state. */
export class MemoryCheckpointer implements Checkpointer {
  readonly #threads = new Map<string, Map<string, History>>()

  get(threadId: string, ns: string, id?: string): Promise<SavedCheckpoint | undefined> {
    const history = this.#threads.get(threadId)?.get(ns)
    const wanted = id ?? history?.latest?.id
    const held = wanted === undefined ? undefined : history?.held.get(wanted)
    return Promise.resolve(held === undefined ? undefined : restore(history!, held))
  }

  put(threadId: string, ns: string, checkpoint: Checkpoint, change: StateChange | undefined): Promise<void> {
    const history = this.#history(threadId, ns)
    const { values, ...rest } = checkpoint
    const known = rest.parent !== undefined && history.held.has(rest.parent)
    const kept = known && change !== undefined ? change : diffOf({}, values)
    const checkpointWithParent = known ? rest : { ...rest, parent: undefined }
    history.held.set(rest.id, { checkpoint: checkpointWithParent, change: kept, pending: NOTHING_PENDING })
    history.latest = { ...checkpointWithParent, values }
    return Promise.resolve()
  }

  putPending(threadId: string, ns: string, id: string, pending: PendingStep): Promise<void> {
    const held = this.#threads.get(threadId)?.get(ns)?.held.get(id)
    if (held !== undefined) held.pending = pending
    return Promise.resolve()
  }

  async *list(
    threadId: string,
    ns: string,
    { before, limit = Infinity }: { before?: string; limit?: number } = {},
  ): AsyncGenerator<SavedCheckpoint, void, undefined> {
    const history = this.#threads.get(threadId)?.get(ns)
    if (history === undefined) return
    const ids = [...history.held.keys()].filter((id) => before === undefined || id < before).reverse()
    for (const id of ids.slice(0, limit)) yield restore(history, history.held.get(id)!)
  }

  deleteThread(threadId: string): Promise<void> {
    this.#threads.delete(threadId)
    return Promise.resolve()
  }

  #history(threadId: string, ns: string): History {
    let spaces = this.#threads.get(threadId)
    if (spaces === undefined) this.#threads.set(threadId, (spaces = new Map()))
    let history = spaces.get(ns)
    if (history === undefined) spaces.set(ns, (history = { held: new Map(), latest: undefined }))
    return history
  }
}

function restore(history: History, held: Held): SavedCheckpoint {
  if (history.latest?.id === held.checkpoint.id) return { ...history.latest, ...held.pending }
  const changes: StateChange[] = []
  for (let at: Held | undefined = held; at !== undefined;) {
    changes.push(at.change)
    at = at.checkpoint.parent === undefined ? undefined : history.held.get(at.checkpoint.parent)
  }
  return { ...held.checkpoint, values: changes.reduceRight(patched, {}), ...held.pending }
}
