import type {
  CheckpointEvent,
  Custom,
  ErrorEvent,
  Interrupt,
  TaskEnd,
  TaskStart,
  ToolEnd,
  ToolStart,
} from '../events/event.ts'
import { ROOT } from '../namespace.ts'
import { originOf } from './entries.ts'
import type { LayeredMap } from './layered-map.ts'
import {
  KEPT_CUSTOM,
  KEPT_CUSTOM_KEYS,
  KEPT_ERRORS,
  KEPT_TASKS,
  KEPT_TOOLS,
  type CustomEntry,
  type TaskRun,
} from './state.ts'
import { capOldest, withLast, writable, type Work } from './work.ts'

export function applyTaskStart(work: Work, event: TaskStart): undefined {
  const tasks = writable(work, 'tasks')
  const { task: id, node, step } = event
  tasks.set(id, { id, node, step, status: 'running', error: undefined, origin: originOf(event) })
  // Looked at now and then only, so that the cost of a long fan-out stays linear.
  if (tasks.size % KEPT_TASKS === 0) dropEndedTasks(tasks)
}

/** Those that wait for a person stay: what they made is not decided. */
function dropEndedTasks(tasks: LayeredMap<TaskRun>): void {
  const ended = [...tasks.values()].filter(({ status }) => status !== 'running' && status !== 'interrupted')
  for (const { id } of ended.slice(0, -KEPT_TASKS)) tasks.delete(id)
}

export function applyTaskEnd(work: Work, event: TaskEnd): undefined {
  const tasks = writable(work, 'tasks')
  const { task: id, node, step, outcome, error } = event
  tasks.set(id, { id, node, step, status: outcome, error, origin: originOf(event) })
}

export function applyToolStart(work: Work, event: ToolStart): undefined {
  const tools = writable(work, 'tools')
  const { id, name, input, node } = event
  tools.delete(id)
  tools.set(id, {
    id,
    name,
    status: 'running',
    input,
    output: undefined,
    error: undefined,
    node,
    origin: originOf(event),
  })
  capOldest(tools, KEPT_TOOLS)
}

/** A tool's end also counts when its start was dropped for age or never told, as on some foreign wires. */
export function applyToolEnd(work: Work, event: ToolEnd): undefined {
  const tools = writable(work, 'tools')
  const { id, name, output, error, node } = event
  const known = tools.get(id)
  tools.set(id, {
    id,
    name: known?.name ?? name,
    status: error === undefined ? 'done' : 'error',
    input: known?.input,
    output,
    error,
    node: known?.node ?? node,
    origin: known?.origin ?? originOf(event),
  })
  capOldest(tools, KEPT_TOOLS)
}

export function applyCustom(work: Work, event: Custom & { seq: number }): undefined {
  const { name, data, node, task, toolCallId, seq } = event
  const key = JSON.stringify([task, toolCallId, name])
  const custom = writable(work, 'custom')
  const count = (custom.get(key)?.count ?? 0) + 1
  const entry: CustomEntry = { name, data, node, toolCallId, seq, count, origin: originOf(event) }
  custom.delete(key)
  custom.set(key, entry)
  capOldest(custom, KEPT_CUSTOM_KEYS)
  work.state.recent = lastOf(withLast(work, work.state.recent, entry), KEPT_CUSTOM)
}

function lastOf<T>(list: T[], kept: number): readonly T[] {
  if (list.length > kept) list.splice(0, list.length - kept)
  return list
}

export function applyInterrupt(work: Work, event: Interrupt): undefined {
  const { id, value, schema, node } = event
  writable(work, 'interrupts').set(id, { id, value, schema, node, origin: originOf(event) })
}

export function applyError(work: Work, event: ErrorEvent): undefined {
  work.state.errors = lastOf(withLast(work, work.state.errors, event.error), KEPT_ERRORS)
}

export function applyCheckpoint(work: Work, event: CheckpointEvent): undefined {
  const run = work.state.runs.get(event.run)
  if (run === undefined || (event.ns ?? ROOT).length > 0) return
  writable(work, 'runs').set(run.id, { ...run, checkpoint: event.id })
}
