import type { Checkpoint, Checkpointer, PendingStep, StateChange } from './checkpointer.ts'

/** One thing that a run keeps of a thread, as `Checkpointer.put` or `putPending` takes it. `ns` is in wire form. */
export type CheckpointWrite =
  | {
      readonly kind: 'put'
      readonly threadId: string
      readonly ns: string
      readonly checkpoint: Checkpoint
      readonly change: StateChange | undefined
    }
  | {
      readonly kind: 'pending'
      readonly threadId: string
      readonly ns: string
      /** The checkpoint whose next step it belongs to. */
      readonly id: string
      readonly pending: PendingStep
    }

/** Whether something is a {@link CheckpointWrite}: logs get what graphs keep as `unknown`. */
export function isCheckpointWrite(value: unknown): value is CheckpointWrite {
  if (typeof value !== 'object' || value === null || !('kind' in value) || !('threadId' in value)) return false
  return (value.kind === 'put' && 'checkpoint' in value) || (value.kind === 'pending' && 'pending' in value)
}

/** Gives a write to a checkpointer; rejects with what that does. */
export function writeTo(checkpointer: Checkpointer, write: CheckpointWrite): Promise<void> {
  const { threadId, ns } = write
  return write.kind === 'put'
    ? checkpointer.put(threadId, ns, write.checkpoint, write.change)
    : checkpointer.putPending(threadId, ns, write.id, write.pending)
}
