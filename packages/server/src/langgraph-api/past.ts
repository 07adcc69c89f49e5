import { emptyState, fold, foldHeld, RivuletError, type EventLog, type ThreadState } from '@rivulet/protocol'

/** Events folded at once. */
const READ_LIMIT = 1000

/** What the thread added up to at `seq`; `undefined` when the log has forgotten how it began. */
export async function stateAt(log: EventLog, seq: number): Promise<ThreadState | undefined> {
  let state = fold(emptyState(), { type: 'sync', phase: 'replay', log: log.id, seq: 0 })
  try {
    while (state.cursor < seq) {
      const { events } = await log.read(state.cursor, READ_LIMIT)
      const past = events.filter((event) => event.seq <= seq)
      if (past.length === 0) break
      state = foldHeld(state, past)
      if (past.length < events.length) break
    }
    return state
  } catch (error) {
    if (error instanceof RivuletError && error.code === 'CURSOR_GONE') return undefined
    throw error
  }
}
