import {
  activeTasks,
  interruptsOf,
  messageIdsOf,
  messageOf,
  progressOf,
  toolCallsOf,
  valuesOf,
  type Namespace,
  type ThreadState,
} from '../../src/index.ts'
import type { Play } from './oracle.ts'

/** All that a viewer can see of a thread, in one plain object: from the fold's state, through its readers. */
export function screenOf(state: ThreadState, namespaces: readonly Namespace[]): unknown {
  const ids = [...state.settled.keys(), ...state.live.keys()].toSorted()
  return {
    pages: namespaces.map((ns) => ({ ns, ids: messageIdsOf(state, { ns }), values: valuesOf(state, ns) })),
    messages: ids.map((id) => messageOf(state, id)),
    runs: [...state.runs.values()].map(({ id, status, attempt }) => ({ id, status, attempt })),
    tools: [...state.tools.values()].map(({ id, status, output, error }) => ({ id, status, output, error })),
    asked: toolCallsOf(state).map(({ id, messageId }) => ({ id, messageId })),
    active: activeTasks(state).map(({ id, node, step }) => ({ id, node, step })),
    interrupts: interruptsOf(state).map(({ id, value }) => ({ id, value })),
    recent: state.recent.map(({ data }) => data),
    progress: progressOf(state, 'progress')?.data,
    errors: state.errors.length,
  }
}

/** The same from the oracle. */
export function screenOfPlay(play: Play, namespaces: readonly Namespace[]): unknown {
  const asked = play
    .ids()
    .flatMap((id) => play.message(id)?.toolCalls?.map((call) => ({ id: call.id, messageId: id })) ?? [])
  return {
    pages: namespaces.map((ns) => ({ ns, ids: play.ids(ns), values: play.values(ns) })),
    messages: play
      .all()
      .toSorted()
      .map((id) => play.message(id)),
    runs: [...play.runs].map(([id, { status, attempt }]) => ({ id, status, attempt })),
    tools: [...play.tools].map(([id, { status, output, error }]) => ({ id, status, output, error })),
    asked,
    active: [...play.tasks].flatMap(([id, { node, step, status }]) =>
      status === 'running' ? [{ id, node, step }] : [],
    ),
    interrupts: [...play.interrupts].map(([id, value]) => ({ id, value })),
    recent: play.customs.map(({ data }) => data),
    progress: play.progress.findLast(({ name }) => name === 'progress')?.data,
    errors: play.errors,
  }
}
