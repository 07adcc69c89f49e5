import { emptyState, fold, foldHeld, RivuletError, type EventLog, type ThreadState } from '@rivulet/protocol'

/** Events folded at once. */
const READ_LIMIT = 1000

/** What a thread adds up to before its first event. */
export function beginningOf(log: EventLog): ThreadState {
  return fold(emptyState(), { type: 'sync', phase: 'replay', log: log.id, seq: 0 })
}

/**
 * What the thread added up to at `seq`. When the log has forgotten how it began that is its beginning, which no reading
 * can go on from but by a snapshot.
 */
export async function stateAt(log: EventLog, seq: number): Promise<ThreadState> {
  let state = beginningOf(log)
  try {
    while (state.cursor < seq) {
      const { events } = await log.read(state.cursor, READ_LIMIT)
      const past = events.filter((event) => event.seq <= seq)
      state = foldHeld(state, past)
      if (past.length < events.length || past.length === 0) break
    }
    return state
  } catch (error) {
    if (isForgotten(error)) return beginningOf(log)
    throw error
  }
}

/** Where the last turn of each log began, as far as it was looked for: the next search goes on from there. */
const turns = new WeakMap<EventLog, ThreadState>()

/**
 * What the thread added up to before its last turn: a run, with those after it that answer what it asked. When the log
 * has forgotten that, its beginning.
 */
export async function stateBeforeTurn(log: EventLog): Promise<ThreadState> {
  try {
    const turn = await findTurn(log, turns.get(log) ?? beginningOf(log))
    turns.set(log, turn)
    return turn
  } catch (error) {
    if (isForgotten(error)) return beginningOf(log)
    throw error
  }
}

async function findTurn(log: EventLog, from: ThreadState): Promise<ThreadState> {
  let [turn, state] = [from, from]
  for (;;) {
    const { events } = await log.read(state.cursor, READ_LIMIT)
    if (events.length === 0) return turn
    let told = 0
    for (const [i, event] of events.entries()) {
      if (event.type !== 'run.start' || event.resume !== undefined || state.runs.has(event.run)) continue
      state = turn = foldHeld(state, events.slice(told, i))
      told = i
    }
    state = foldHeld(state, events.slice(told))
  }
}

function isForgotten(error: unknown): boolean {
  return error instanceof RivuletError && error.code === 'CURSOR_GONE'
}
