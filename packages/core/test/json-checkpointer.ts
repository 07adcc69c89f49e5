import type { Checkpoint, Checkpointer, PendingStep, SavedCheckpoint } from '../src/index.ts'

interface Row {
  ns: string
  id: string
  checkpoint: string
  pending: string
}

/** Keeps threads as a database would: as text. What is not JSON is lost here, and a test that needs it fails. */
export class JsonCheckpointer implements Checkpointer {
  readonly #threads = new Map<string, Row[]>()

  get(threadId: string, ns: string, id?: string): Promise<SavedCheckpoint | undefined> {
    const rows = this.#rows(threadId, ns)
    const row = id === undefined ? rows.at(-1) : rows.find((one) => one.id === id)
    return Promise.resolve(row && read(row))
  }

  put(threadId: string, ns: string, checkpoint: Checkpoint): Promise<void> {
    const rows = this.#threads.get(threadId) ?? []
    this.#threads.set(threadId, rows)
    const pending = JSON.stringify({ tasks: [], answers: {} })
    rows.push({ ns, id: checkpoint.id, checkpoint: JSON.stringify(checkpoint), pending })
    return Promise.resolve()
  }

  putPending(threadId: string, ns: string, id: string, pending: PendingStep): Promise<void> {
    const row = this.#rows(threadId, ns).find((one) => one.id === id)
    if (row !== undefined) row.pending = JSON.stringify(pending)
    return Promise.resolve()
  }

  async *list(
    threadId: string,
    ns: string,
    { before, limit = Infinity }: { before?: string; limit?: number } = {},
  ): AsyncGenerator<SavedCheckpoint, void, undefined> {
    const rows = this.#rows(threadId, ns).filter(({ id }) => before === undefined || id < before)
    for (const row of rows.reverse().slice(0, limit)) yield await Promise.resolve(read(row))
  }

  deleteThread(threadId: string): Promise<void> {
    this.#threads.delete(threadId)
    return Promise.resolve()
  }

  #rows(threadId: string, ns: string): Row[] {
    return (this.#threads.get(threadId) ?? []).filter((row) => row.ns === ns)
  }
}

function read({ checkpoint, pending }: Row): SavedCheckpoint {
  // Written by `put` and `putPending`, which take these types.
  return { ...(JSON.parse(checkpoint) as Checkpoint), ...(JSON.parse(pending) as PendingStep) }
}
