import {
  deserializeState,
  messagesOf,
  PROTOCOL_VERSION,
  valuesOf,
  type RivuletEvent,
  type RunEvent,
  type SerializedState,
} from '@rivulet/protocol'
import type { ScriptedRun } from '../script/item.ts'
import { scriptOf, type Script } from '../script/script.ts'
import type { Tape } from './tape.ts'

/**
 * A tape as a script: the same runs with the same events, which play by themselves unless the page starts one. Of a
 * snapshot that the tape begins with, the root's state and messages come first, as a run of their own.
 */
export function scriptOfTape({ events }: Tape): Script {
  const runs = new Map<string, RunEvent[]>()
  const past: ScriptedRun[] = []
  for (const event of events) {
    if (event.type === 'sync') {
      if (event.phase === 'snapshot' && runs.size === 0) past.splice(0, 1, pastRun(event))
      continue
    }
    const { seq: _seq, prev: _prev, ...emitted } = event
    const known = runs.get(event.run)
    if (known === undefined) runs.set(event.run, [emitted])
    else known.push(emitted)
  }
  const recorded = [...runs].map(([id, run]): ScriptedRun => {
    const [first] = run
    if (first?.type !== 'run.start') return { id, input: {}, items: [], recorded: [startOf(id), ...run] }
    // An answer is needed where one was given; what it was is not on the tape.
    const begun = first.resume === undefined ? { input: {} } : { input: true, resumes: true }
    return { id, ...begun, items: [], recorded: run }
  })
  return scriptOf([...past, ...recorded])
}

function startOf(run: string): RunEvent {
  return { type: 'run.start', run, protocol: PROTOCOL_VERSION }
}

function pastRun(event: Extract<RivuletEvent, { phase: 'snapshot' }>): ScriptedRun {
  const id = 'past'
  // A tape was recorded from a log, whose snapshots are what `serializeState` wrote.
  const state = { ...deserializeState(event.state as SerializedState), cursor: event.seq, log: event.log }
  const messages = messagesOf(state)
  const { messages: _listed, ...values } = valuesOf(state)
  const lists = { messages: messages.map((message) => message.id) }
  return {
    id,
    input: {},
    items: [],
    recorded: [
      startOf(id),
      { type: 'rewind', run: id, to: null, reason: 'recovery', state: { values, lists, messages } },
      { type: 'run.end', run: id, status: 'done' },
    ],
  }
}
