import {
  RivuletError,
  type EventLog,
  type Message,
  type RewindTo,
  type RunEnd,
  type RunEvent,
  type StreamableGraph,
} from '@rivulet/protocol'

/** Whose state is taken back, and to where. */
export interface TakeBack {
  graph: StreamableGraph
  /** Name under which the graph keeps the thread's state. */
  memory: string
  log: EventLog
  /** Checkpoint that the run began from. */
  base: string | undefined
}

/** Throws `UNSUPPORTED` for a graph whose threads cannot be taken back. */
export function checkTakeBack(graph: StreamableGraph): void {
  if (graph.updateState !== undefined && graph.getState !== undefined && graph.deleteThread !== undefined) return
  throw new RivuletError('UNSUPPORTED', 'this graph keeps no checkpoints: its runs can be interrupted, not rolled back')
}

/**
 * What is told in place of a run's end when the thread goes back to where it stood before the run: `rewind`, then the
 * end. The graph's state is back before either is told.
 */
export async function* takenBack({ graph, memory, log, base }: TakeBack, end: RunEnd): AsyncGenerator<RunEvent, void> {
  const { run } = end
  const { checkpoint: _lost, ...ended } = end
  if (base === undefined) {
    await graph.deleteThread?.(memory)
    const state = { values: {}, lists: {}, messages: [] }
    yield { type: 'rewind', run, to: null, reason: 'rollback', state }
    yield ended
    return
  }
  const to = (await graph.updateState?.(memory, {}, { checkpointId: base })) ?? base
  const values = (await graph.getState?.(memory))?.values ?? {}
  const { spaces } = await log.snapshot()
  const state = splitState(values, Object.keys(spaces.get('')?.lists ?? {}))
  yield { type: 'rewind', run, to, reason: 'rollback', state }
  yield { ...ended, checkpoint: to }
}

/** State as a `rewind` carries it: message lists as ids, beside the messages. */
export function splitState(values: Readonly<Record<string, unknown>>, listKeys: readonly string[]): RewindTo['state'] {
  const rest: Record<string, unknown> = {}
  const lists: Record<string, readonly string[]> = {}
  const messages: Message[] = []
  for (const [key, value] of Object.entries(values)) {
    if (!listKeys.includes(key) || !Array.isArray(value)) rest[key] = value
    else {
      // Readers know this key as a list of messages, because the graph said so.
      const list = value as readonly Message[]
      lists[key] = list.map(({ id }) => id)
      messages.push(...list)
    }
  }
  return { values: rest, lists, messages }
}
