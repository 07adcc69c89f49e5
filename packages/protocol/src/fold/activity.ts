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
import { originOf } from './entries.ts'
import { KEPT_CUSTOM, KEPT_CUSTOM_KEYS, KEPT_ERRORS, KEPT_TASKS, KEPT_TOOLS, type CustomEntry } from './state.ts'
import { capOldest, made, writable, type Work } from './work.ts'

export function applyTaskStart(work: Work, event: TaskStart): undefined {
  const tasks = writable(work, 'tasks')
  const { task: id, node, step } = event
  tasks.set(id, { id, node, step, status: 'running', error: undefined, origin: originOf(event) })
  if (tasks.size > KEPT_TASKS * 2) dropEndedTasks(tasks)
}

/** Ended tasks are dropped in bulk, so that the cost of a long fan-out stays linear. */
function dropEndedTasks(tasks: Map<string, { status: string }>): void {
  const ended = [...tasks].filter(([, task]) => task.status !== 'running')
  for (const [id] of ended.slice(0, Math.max(0, ended.length - KEPT_TASKS))) tasks.delete(id)
}

export function applyTaskEnd(work: Work, event: TaskEnd): undefined {
  const { task: id, node, step, outcome, error } = event
  writable(work, 'tasks').set(id, { id, node, step, status: outcome, error, origin: originOf(event) })
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
  const { name, data, node, toolCallId, seq } = event
  const key = customKey(toolCallId ?? event.task, name)
  const custom = writable(work, 'custom')
  const count = (custom.get(key)?.count ?? 0) + 1
  const entry: CustomEntry = { name, data, node, toolCallId, seq, count, origin: originOf(event) }
  custom.delete(key)
  custom.set(key, entry)
  capOldest(custom, KEPT_CUSTOM_KEYS)
  work.state.recent = withLast(work, work.state.recent, entry, KEPT_CUSTOM)
}

/** The key of a custom value: who wrote it (a tool call, else a task) and its name. */
export function customKey(writer: string | undefined, name: string | undefined): string {
  return `${writer ?? ''}\u0000${name ?? ''}`
}

/** A list with one more at its end and at most `kept`; within one fold the same array grows, up to twice that. */
function withLast<T>(work: Work, list: readonly T[], item: T, kept: number): readonly T[] {
  const next = work.fresh.has(list) ? (list as T[]) : made(work, list.slice())
  next.push(item)
  if (next.length > kept) next.splice(0, next.length - kept)
  return next
}

export function applyInterrupt(work: Work, event: Interrupt): undefined {
  const { id, value, schema, node } = event
  writable(work, 'interrupts').set(id, { id, value, schema, node, origin: originOf(event) })
}

export function applyError(work: Work, event: ErrorEvent): undefined {
  work.state.errors = withLast(work, work.state.errors, event.error, KEPT_ERRORS)
}

export function applyCheckpoint(work: Work, event: CheckpointEvent): undefined {
  const run = work.state.runs.get(event.run)
  if (run !== undefined && event.ns === undefined) writable(work, 'runs').set(run.id, { ...run, checkpoint: event.id })
}
