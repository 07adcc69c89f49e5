import type { SavedCheckpoint, TaskRecord } from '../checkpoint/checkpointer.ts'
import type { Values } from '../state/schema.ts'
import { NOTHING, type NextStep } from './step.ts'

/** What a graph's run goes on from. */
export interface Standing {
  readonly values: Values
  readonly next: NextStep
  /** Step of the checkpoint; the first superstep is one above. */
  readonly step: number
  readonly checkpoint: string | undefined
  /** Tasks of the next step that had ended or asked before. */
  readonly tasks: readonly TaskRecord[]
  readonly answers: Readonly<Record<string, unknown>>
  /** What the ids of the next step's tasks are made from, where that is not the checkpoint. */
  readonly tasksFrom?: string | undefined
}

/** The standing of a thread that has no checkpoint yet. */
export function freshStanding(values: Values): Standing {
  return { values, next: NOTHING, step: -1, checkpoint: undefined, tasks: [], answers: {} }
}

/** The standing that a checkpoint describes. */
export function standingOf(saved: SavedCheckpoint): Standing {
  return { ...saved, checkpoint: saved.id }
}
