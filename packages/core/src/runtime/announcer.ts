import {
  messageOfThrown,
  RivuletError,
  type Envelope,
  type ListChange,
  type Message,
  type TaskEnd,
  type TaskStart,
  type Updates,
  type Values as ValuesEvent,
  type WireError,
} from '@rivulet/protocol/model'
import type { Checkpoint, TaskRecord } from '../checkpoint/checkpointer.ts'
import { appendedTo, isRemoval, messageById, type MessageChanges } from '../state/message-list.ts'
import { messageKeys, shownUpdate, visible, type Update, type Values } from '../state/schema.ts'
import { Attempt, sameMessage } from './attempt.ts'
import type { CallNews, GraphHost, Task, TaskResult } from './host.ts'
import { stableId } from './ids.ts'
import { ParentCommand } from './parent-command.ts'

/** Tells readers what one graph's run does, in the order of the event model. Builds nothing that nobody wants. */
export class Announcer {
  readonly #graph: GraphHost
  readonly #lists: readonly string[]
  /** State as readers have it; `undefined` before the first `values` of this run. */
  #told: Values | undefined

  constructor(graph: GraphHost) {
    this.#graph = graph
    this.#lists = messageKeys(graph.plan.schema)
  }

  taskStart(task: Task): void {
    const { wants, scope, ns, step } = this.#graph
    if (!wants.tasks) return
    const event: TaskStart = { type: 'task.start', run: scope.run, node: task.spec.name, step, task: task.id }
    if (ns.length > 0) event.ns = ns
    if (wants.taskDetails) {
      event.input = this.#visible(task.input)
      event.triggers = [...task.triggers]
    }
    scope.sink.emit(event)
  }

  /** Everything this attempt of the task told is withdrawn. */
  rewind(task: Task, attempt: number): void {
    this.#graph.scope.sink.emit({ type: 'rewind', ...this.#envelope(task), attempt })
  }

  /** Tells what a task returned and that it ended. */
  taskEnd(task: Task, result: TaskResult): void {
    const { sink } = this.#graph.scope
    if (result.outcome === 'ok') {
      this.#returned(task, result)
      this.#updates(task, result.updates, false)
    }
    for (const asked of result.asked) {
      if (asked.ns !== undefined && asked.ns.length !== this.#graph.ns.length) continue
      const { id, value, schema } = asked
      sink.emit({ type: 'interrupt', ...this.#envelope(task), id, value, ...(schema !== undefined && { schema }) })
    }
    this.#taskEnd(task, result)
  }

  /** A task that had ended before the run was interrupted: its result counts, it does not run again. */
  cached(task: Task, record: TaskRecord): void {
    this.taskStart(task)
    const updates = record.updates ?? []
    this.#updates(task, updates, true)
    this.#taskEnd(task, { outcome: 'cached', updates, targets: [], asked: [] })
  }

  /** Tells of a task that a node calls by function: it has a value instead of an update. */
  call(task: Task, what: CallNews): void {
    const { wants, scope } = this.#graph
    if (what.phase === 'start') return this.taskStart(task)
    if (what.phase === 'failed') return this.taskEnd(task, what.result)
    const { value, cached } = what
    if (cached) this.taskStart(task)
    if (wants.updates) {
      scope.sink.emit({ type: 'updates', ...this.#envelope(task), update: value, ...(cached && { cached: true }) })
    }
    if (!wants.tasks) return
    const outcome = cached ? 'cached' : 'ok'
    scope.sink.emit({ type: 'task.end', ...this.#envelope(task), outcome, ...(wants.taskDetails && { result: value }) })
  }

  #taskEnd(task: Task, result: TaskResult): void {
    const { wants, scope } = this.#graph
    if (!wants.tasks) return
    const { ns, step } = this.#graph
    const node = task.spec.name
    const failed = result.error !== undefined && !(result.error.thrown instanceof ParentCommand)
    const outcome = result.error !== undefined && !failed ? 'ok' : result.outcome
    const event: TaskEnd = { type: 'task.end', run: scope.run, node, step, task: task.id, outcome }
    if (ns.length > 0) event.ns = ns
    if (wants.taskDetails) {
      event.result = resultOf(result.updates)
      event.interrupts = result.asked.map(({ id, value }) => ({ id, value }))
    }
    if (failed) event.error = wireErrorOf(result.error.thrown, node)
    scope.sink.emit(event)
  }

  /** Shows the messages a task returned, where readers do not have them like this yet. */
  #returned(task: Task, { updates, attempt: number = 1 }: TaskResult): void {
    const { wants } = this.#graph
    if (this.#lists.length === 0 || !(wants.messages || wants.values)) return
    const messages = updates.flatMap((update) => this.#lists.flatMap((key) => messagesIn(update[key])))
    if (messages.length === 0) return
    const attempt = new Attempt(this.#graph, task, number)
    for (const message of messages) attempt.show(message)
  }

  #updates(task: Task, updates: readonly Update[], cached: boolean): void {
    const { wants, scope, ns, step } = this.#graph
    if (!wants.updates) return
    const update = joined(updates)
    const event: Updates = { type: 'updates', run: scope.run, node: task.spec.name, step, task: task.id, update }
    if (ns.length > 0) event.ns = ns
    if (cached) event.cached = true
    scope.sink.emit(event)
  }

  /** The namespace's state changed from `before` to `after`: messages first, then what their list is now. */
  values(before: Values, after: Values): void {
    const { wants, scope, plan } = this.#graph
    if (!wants.values && !(wants.messages && this.#lists.length > 0)) {
      this.#told = after
      return
    }
    // Readers may have more than `before`: what had ended of a step that then stopped to ask.
    this.#messagesChanged(this.#told ?? before, after)
    const told = this.#told
    this.#told = after
    this.restore(after)
    if (!wants.values) return
    const shown = visible(plan.schema, after)
    const full = told === undefined
    const old = told === undefined ? {} : visible(plan.schema, told)
    const set: Record<string, unknown> = {}
    const lists: Record<string, ListChange> = {}
    for (const key of Object.keys(shown)) {
      if (!full && shown[key] === old[key]) continue
      if (this.#lists.includes(key)) lists[key] = listChange(old[key], shown[key])
      else set[key] = shown[key]
    }
    const unset = Object.keys(old).filter((key) => !Object.hasOwn(shown, key))
    const { ns, step } = this.#graph
    const event: ValuesEvent = { type: 'values', run: scope.run, step }
    if (ns.length > 0) event.ns = ns
    if (Object.keys(set).length > 0) event.set = set
    if (unset.length > 0) event.unset = unset
    if (Object.keys(lists).length > 0) event.lists = lists
    if (full) {
      event.full = true
      const { sharedLists } = this.#graph
      if (sharedLists.length > 0) event.shared = sharedLists
    }
    scope.sink.emit(event, shown)
  }

  /** Says what a commit removed or made different from what was shown. */
  #messagesChanged(before: Values, after: Values): void {
    for (const key of this.#lists) {
      const old = (before[key] ?? []) as readonly Message[]
      const now = (after[key] ?? []) as readonly Message[]
      if (old === now) continue
      const tail = appendedTo(old, now)
      if (tail !== undefined) {
        for (const message of tail) this.#putUnlessShown(message)
        continue
      }
      const kept = now.length >= old.length && old.every((message, i) => message.id === now[i]!.id)
      if (!kept) {
        const ids = new Set(now.map((message) => message.id))
        for (const { id } of old) if (!ids.has(id)) this.#remove(id)
      }
      const held = new Set(old)
      for (const message of now) if (!held.has(message)) this.#putUnlessShown(message)
    }
  }

  /**
   * What tasks and graphs below told under an id that the state has holds only if it went into the state: readers get back
   * what they were told the state is, or `values` when they were told nothing yet.
   */
  restore(values: Values): void {
    const state = this.#told ?? values
    const { scope, ns, wants } = this.#graph
    const { told } = scope
    if (told.size === 0) return
    if (wants.messages || wants.values) {
      for (const key of this.#lists) {
        const list = (state[key] ?? []) as readonly Message[]
        for (const id of told) {
          const message = messageById(list, id)
          if (message !== undefined) this.#putUnlessShown(message)
        }
      }
    }
    if (ns.length > 0) return
    for (const id of told) if (!scope.openIds.has(id)) told.delete(id)
  }

  #putUnlessShown(message: Message): void {
    const known = this.#graph.scope.shown.get(message.id)
    if (known === undefined || !sameMessage(known, message)) this.#put(message)
  }

  #remove(id: string): void {
    this.#note(id, undefined)
    this.#graph.scope.sink.emit({ type: 'message.remove', ...this.#place(), id })
  }

  #put(message: Message): void {
    const { scope, checkpoint } = this.#graph
    if (this.#waitsForOpen(message.id)) return
    this.#note(message.id, message)
    const shown = checkpoint === undefined ? message : { ...message, meta: { ...message.meta, checkpoint } }
    scope.sink.emit({ type: 'message', ...this.#place(), message: shown })
  }

  /** Whether a task streams under this id: then what holds is said once it is done and the root's state is known. */
  #waitsForOpen(id: string): boolean {
    const { openIds, told } = this.#graph.scope
    if (!openIds.has(id)) return false
    told.add(id)
    return true
  }

  #note(id: string, message: Message | undefined): void {
    const { caller, scope } = this.#graph
    if (caller !== undefined) caller.noteShown(id, message)
    else if (message === undefined) scope.shown.delete(id)
    else scope.shown.set(id, message)
  }

  /** Messages that the thread held before this run, for readers who have only this run. */
  history(values: Values): void {
    const { wants, scope } = this.#graph
    if (!wants.values) return
    for (const key of this.#lists) {
      for (const message of (values[key] ?? []) as readonly Message[]) {
        if (this.#waitsForOpen(message.id)) continue
        this.#note(message.id, message)
        scope.sink.emit({ type: 'message', ...this.#place(), message })
      }
    }
  }

  /** Takes readers back to a checkpoint, or to the empty thread before the first. */
  takeBack(reason: 'fork' | 'recovery', checkpoint: Pick<Checkpoint, 'id' | 'values'> | undefined): void {
    const shown = visible(this.#graph.plan.schema, checkpoint?.values ?? {})
    const lists = this.#lists.filter((key) => Object.hasOwn(shown, key))
    const messages = lists.flatMap((key) => shown[key] as readonly Message[])
    const rest = Object.entries(shown).filter(([key]) => !lists.includes(key))
    this.#graph.scope.sink.emit({
      type: 'rewind',
      ...this.#place(),
      to: checkpoint?.id ?? null,
      reason,
      state: {
        values: Object.fromEntries(rest),
        lists: Object.fromEntries(
          lists.map((key) => [key, (shown[key] as readonly Message[]).map((message) => message.id)]),
        ),
        messages,
      },
    })
  }

  checkpoint(checkpoint: Checkpoint): void {
    const { wants, scope, plan } = this.#graph
    if (!wants.checkpoints) return
    const { id, parent, source, next, values } = checkpoint
    scope.sink.emit({
      type: 'checkpoint',
      ...this.#place(),
      id,
      ...(parent !== undefined && { parent }),
      source,
      next: [...next.sends.map(({ node }) => node), ...next.nodes.map(({ name }) => name)],
      values: visible(plan.schema, values),
    })
  }

  /** Something failed that does not end the run, or not by itself. */
  error(error: WireError): void {
    this.#graph.scope.sink.emit({ type: 'error', ...this.#place(), error })
  }

  /** The run stops before or after a node because the caller asked for that. */
  breakpoint(next: readonly string[]): void {
    const { scope } = this.#graph
    const id = stableId(`${this.#graph.checkpoint ?? scope.run}/breakpoint`)
    scope.sink.emit({ type: 'interrupt', ...this.#place(), id, value: { breakpoint: true, next } })
  }

  #visible(input: unknown): unknown {
    return input === this.#graph.values ? visible(this.#graph.plan.schema, this.#graph.values) : input
  }

  #envelope(task: Task): Envelope & { task: string; node: string } {
    return { ...this.#place(), node: task.spec.name, task: task.id }
  }

  #place(): Envelope {
    const { scope, ns, step } = this.#graph
    return ns.length > 0 ? { run: scope.run, ns, step } : { run: scope.run, step }
  }
}

function messagesIn(update: unknown): readonly Message[] {
  if (!Array.isArray(update)) return []
  return (update as MessageChanges).filter((change): change is Message => !isRemoval(change))
}

/** Several updates of one task as one: merged while their keys differ, else a list in their order. */
function joined(given: readonly Update[]): unknown {
  const updates = given.map(shownUpdate)
  if (updates.length === 1) return updates[0]
  const merged: Record<string, unknown> = {}
  for (const update of updates) {
    for (const key of Object.keys(update)) if (Object.hasOwn(merged, key)) return updates
    Object.assign(merged, update)
  }
  return merged
}

/** What a task wrote, by key; a key that it wrote several times has all of that, in order. As LangGraph shows it. */
function resultOf(updates: readonly Update[]): Update {
  const [first = {}] = updates
  if (updates.length <= 1) return shownUpdate(first)
  const result: Record<string, unknown> = {}
  for (const key of new Set(updates.flatMap((update) => Object.keys(update)))) {
    const written = updates.map(shownUpdate).flatMap((update) => (Object.hasOwn(update, key) ? [update[key]] : []))
    result[key] = written.length === 1 ? written[0] : { $writes: written }
  }
  return result
}

function listChange(before: unknown, after: unknown): ListChange {
  const old = (before ?? []) as readonly Message[]
  const now = after as readonly Message[]
  if (old.length === 0) return { ids: now.map(({ id }) => id) }
  const same = () => now.length >= old.length && old.every((message, i) => message.id === now[i]!.id)
  const tail = appendedTo(old, now) ?? (same() ? now.slice(old.length) : undefined)
  return tail === undefined ? { ids: now.map(({ id }) => id) } : { append: tail.map(({ id }) => id) }
}

/** An error of a node as it crosses the wire: what it says, under our code, with the node's name. */
export function wireErrorOf(thrown: unknown, node: string | undefined): WireError {
  if (thrown instanceof RivuletError)
    return { ...thrown.toJSON(), ...(thrown.node === undefined && node !== undefined && { node }) }
  return { code: 'NODE_FAILED', message: messageOfThrown(thrown), ...(node !== undefined && { node }) }
}
