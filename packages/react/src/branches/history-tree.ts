import type { GraphState } from '@rivulet/protocol'

/** As much of a thread's past as was fetched: states, the newest first. */
export interface FetchedHistory {
  readonly states: readonly GraphState[]
  /** Whether that is all there is. */
  readonly isComplete: boolean
}

/** Where the conversation took several ways, seen from a message on the page. */
export interface Fork {
  /** Checkpoint from which the message can be written anew. */
  readonly checkpointId: string
  /** For each way the newest checkpoint on it, in the order in which they were begun. */
  readonly leaves: readonly string[]
  /** Which of them the page shows. */
  readonly index: number
}

/**
 * The ways that were taken where this message stands: the steps that went on from the same state as the one that made
 * it. `'unknown'` when older states decide it; `undefined` when the message is not in the history, or is not the first
 * that its step made.
 *
 * A step here is a superstep that ran. Inputs, updates and forks only lead from one step to the next: an edited message
 * is another step after the same earlier one.
 */
export function forkOf(history: FetchedHistory, messagesKey: string, messageId: string): Fork | 'unknown' | undefined {
  const tree = treeOf(history)
  const has = (state: GraphState) => messageIds(state, messagesKey).includes(messageId)
  const path = tree.stepsUpFrom(history.states[0])
  const maker = path.steps.filter((step, i) => has(step) && path.steps.slice(0, i).every(has)).at(-1)
  if (maker === undefined) return path.isCut ? 'unknown' : undefined
  const before = tree.stepBefore(maker)
  if (before === 'unknown' || maker.parentCheckpointId === undefined) return 'unknown'
  const known = new Set(before === undefined ? [] : messageIds(before, messagesKey))
  if (messageIds(maker, messagesKey).find((id) => !known.has(id)) !== messageId) return undefined
  const ways = history.states.filter((state) => isStep(state) && tree.stepBefore(state) === before).reverse()
  return {
    checkpointId: maker.parentCheckpointId,
    leaves: ways.map((way) => tree.leafBelow(way)),
    index: ways.indexOf(maker),
  }
}

/** How states follow from one another. */
interface Tree {
  /** The steps from here up; `isCut` when older states were not fetched. */
  stepsUpFrom(state: GraphState | undefined): { steps: readonly GraphState[]; isCut: boolean }
  /** The step that this state goes on from; `undefined` for the first. */
  stepBefore(state: GraphState): GraphState | 'unknown' | undefined
  /** Id of the newest state that goes on from this one, or is it. */
  leafBelow(state: GraphState): string
}

const trees = new WeakMap<FetchedHistory, Tree>()

function treeOf(history: FetchedHistory): Tree {
  let tree = trees.get(history)
  if (tree === undefined) trees.set(history, (tree = growTree(history)))
  return tree
}

function growTree({ states, isComplete }: FetchedHistory): Tree {
  const byId = new Map(states.map((state) => [state.checkpointId, state]))
  const parentOf = ({ parentCheckpointId: id }: GraphState): GraphState | 'unknown' | undefined =>
    id === undefined ? undefined : (byId.get(id) ?? (isComplete ? undefined : 'unknown'))
  const stepBefore = (state: GraphState) => {
    let before = parentOf(state)
    while (before !== undefined && before !== 'unknown' && !isStep(before)) before = parentOf(before)
    return before
  }
  return {
    stepBefore,
    stepsUpFrom(state) {
      const steps: GraphState[] = []
      let at: GraphState | 'unknown' | undefined = state === undefined || isStep(state) ? state : stepBefore(state)
      for (; at !== undefined && at !== 'unknown'; at = stepBefore(at)) steps.push(at)
      return { steps, isCut: at === 'unknown' || (state === undefined && !isComplete) }
    },
    leafBelow(state) {
      const isBelow = (at: GraphState | 'unknown' | undefined): boolean =>
        at !== undefined && at !== 'unknown' && (at === state || isBelow(parentOf(at)))
      // Every state of a thread that remembers has an id.
      return (states.find(isBelow) ?? state).checkpointId!
    },
  }
}

/** Whether a superstep wrote it; what comes before the first, and what people change, are inputs, updates and forks. */
function isStep({ source }: GraphState): boolean {
  return source === 'loop'
}

function messageIds({ values }: GraphState, messagesKey: string): readonly string[] {
  const messages = values[messagesKey]
  // What a graph keeps under the messages' key are messages, each with its id.
  return Array.isArray(messages) ? (messages as readonly { id: string }[]).map(({ id }) => id) : []
}
