import type {
  Custom,
  ErrorEvent,
  Interrupt,
  RunEvent,
  TaskEnd,
  TaskStart,
  ToolEnd,
  ToolStart,
} from '../events/event.ts'
import { originOf } from './entries.ts'
import { isOpen } from './past.ts'
import {
  KEPT_CUSTOM,
  KEPT_CUSTOM_KEYS,
  KEPT_ERRORS,
  KEPT_TASKS,
  KEPT_TOOLS,
  type CustomEntry,
  type Origin,
  type ToolRun,
} from './state.ts'
import { capOldest, keep, withLast, writable, type Work } from './work.ts'

/** Who did something: what tools, tasks, customs and interrupts have in common. */
function by(event: RunEvent): { node: string | undefined; origin: Origin } {
  return { node: event.node, origin: originOf(event) }
}

export function applyTask(work: Work, event: TaskStart | TaskEnd): undefined {
  const { task: id, node, step } = event
  const [status, error] = event.type === 'task.end' ? [event.outcome, event.error] : (['running', undefined] as const)
  keep(work, event)
  const tasks = writable(work, 'tasks')
  tasks.set(id, { id, node, step, status, error, origin: originOf(event) })
  // Looked at now and then only, so that the cost of a long fan-out stays linear.
  if (status !== 'running' || tasks.size % KEPT_TASKS > 0) return
  // Those that wait for a person stay: what they made is not decided.
  const ended = [...tasks.values()].filter((task) => !isOpen(task))
  for (const old of ended.slice(0, -KEPT_TASKS)) tasks.delete(old.id)
}

export function applyToolStart(work: Work, event: ToolStart): undefined {
  const { id, name, input } = event
  const tools = writable(work, 'tools')
  tools.delete(id)
  tools.set(id, { id, name, status: 'running', input, output: undefined, error: undefined, ...by(event) })
  capOldest(tools, KEPT_TOOLS)
}

/** A tool's end also counts when its start was dropped for age or never told, as on some foreign wires. */
export function applyToolEnd(work: Work, event: ToolEnd): undefined {
  const { id, output, error } = event
  const tools = writable(work, 'tools')
  const known: Partial<ToolRun> = tools.get(id) ?? {}
  const { name = event.name, input, node = event.node, origin = originOf(event) } = known
  tools.set(id, { id, name, status: error ? 'error' : 'done', input, output, error, node, origin })
  capOldest(tools, KEPT_TOOLS)
}

export function applyCustom(work: Work, event: Custom & { seq: number }): undefined {
  const { name, data, task, toolCallId, seq } = event
  const key = JSON.stringify([task, toolCallId, name])
  const custom = writable(work, 'custom')
  const count = (custom.get(key)?.count ?? 0) + 1
  const entry: CustomEntry = { name, data, toolCallId, seq, count, ...by(event) }
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
  const { id, value, schema } = event
  writable(work, 'interrupts').set(id, { id, value, schema, ...by(event) })
}

export function applyError(work: Work, event: ErrorEvent): undefined {
  work.state.errors = lastOf(withLast(work, work.state.errors, event.error), KEPT_ERRORS)
}
