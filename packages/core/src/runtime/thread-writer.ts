import { formatNamespace, type Namespace, type RivuletError } from '@rivulet/protocol/model'
import { diffOf } from '../checkpoint/change.ts'
import type { Checkpoint, PendingStep } from '../checkpoint/checkpointer.ts'
import { writeTo, type CheckpointWrite } from '../checkpoint/write.ts'
import type { Values } from '../state/schema.ts'
import { storeError, type RunSettings, type Thread } from './run-scope.ts'

/** Writes what one graph keeps of its thread, one thing after the other in the order given. */
export class ThreadWriter {
  readonly #settings: RunSettings
  readonly #thread: Thread
  readonly #ns: string
  #writing: Promise<void> = Promise.resolve()
  #failure: RivuletError | undefined
  #heldBack: { readonly checkpoint: Checkpoint; readonly before: Values | undefined } | undefined

  constructor(settings: RunSettings, thread: Thread, ns: Namespace) {
    this.#settings = settings
    this.#thread = thread
    this.#ns = formatNamespace(ns)
  }

  /** Writes a checkpoint; `before` is its parent's state. With durability `exit` only the last one, by {@link flush}. */
  put(checkpoint: Checkpoint, before: Values | undefined): void {
    if (this.#settings.durability !== 'exit') return this.#put(checkpoint, before)
    const first = this.#heldBack ?? { checkpoint, before }
    this.#heldBack = { checkpoint: { ...checkpoint, parent: first.checkpoint.parent }, before: first.before }
  }

  /** Replaces what is pending at a checkpoint. */
  putPending(id: string, pending: PendingStep): void {
    this.#keep({ kind: 'pending', threadId: this.#thread.id, ns: this.#ns, id, pending })
  }

  /** Writes the checkpoint that was held back until now. */
  release(): void {
    const held = this.#heldBack
    this.#heldBack = undefined
    if (held !== undefined) this.#put(held.checkpoint, held.before)
  }

  /** Resolves when all of it is written; rejects, now and from then on, with what the store failed with. */
  async written(): Promise<void> {
    try {
      await this.#writing
    } catch (error) {
      this.#failure ??= storeError(error)
      throw this.#failure
    }
  }

  /** As {@link written}, with what was held back. */
  flush(): Promise<void> {
    this.release()
    return this.written()
  }

  #put(checkpoint: Checkpoint, before: Values | undefined): void {
    const change = before === undefined ? undefined : diffOf(before, checkpoint.values)
    this.#keep({ kind: 'put', threadId: this.#thread.id, ns: this.#ns, checkpoint, change })
  }

  /** Hands it over in its place among the events, or to the store. */
  #keep(write: CheckpointWrite): void {
    const { sink } = this.#settings
    const before = this.#writing
    this.#writing =
      sink.keep === undefined
        ? before.then(() => writeTo(this.#thread.checkpointer, write))
        : Promise.all([before, sink.keep(write)]).then(() => {})
    // A failing store is told where the run waits for it; until then it must not count as unhandled.
    this.#writing.catch(() => {})
  }
}
