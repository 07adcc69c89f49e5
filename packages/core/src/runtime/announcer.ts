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
import { messageKeys, shownUpdate, visible, type Update, type Values } from '../state/schema.ts'
import type { Asked, CallNews, GraphHost, Task, TaskResult } from './host.ts'
import { stableId } from './ids.ts'
import type { MessageNews, NewsOfLists } from './message-news.ts'
import { ParentCommand } from './parent-command.ts'

/** Tells readers what one graph's run does, in the order of the event model. Builds nothing that nobody wants. */
export class Announcer {
  readonly #graph: GraphHost
  readonly #lists: readonly string[]
  /** What tells of the message lists, where the graph has some. */
  readonly messages: MessageNews | undefined
  /** State as readers have it; `undefined` before the first `values` of this run. */
  #told: Values | undefined

  constructor(graph: GraphHost) {
    this.#graph = graph
    this.#lists = messageKeys(graph.plan.schema)
    const [key] = this.#lists
    // Set by `messages()`, which says what tells of its lists.
    const News = (key === undefined ? undefined : graph.plan.schema.fields[key]!.news) as NewsOfLists | undefined
    this.messages = News && new News(graph, this.#lists)
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
      this.messages?.returned(task, result)
      if (this.#graph.wants.updates) this.#updates(task, joined(result.updates), false)
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
    this.#updates(task, joined(updates), true)
    this.#taskEnd(task, { outcome: 'cached', updates, targets: [], asked: [] })
  }

  /** Tells of a task that a node calls by function: it has a value instead of an update. */
  call(task: Task, what: CallNews): void {
    if (what.phase === 'start') return this.taskStart(task)
    if (what.phase === 'failed') return this.taskEnd(task, what.result)
    const { value, cached } = what
    if (cached) this.taskStart(task)
    this.#updates(task, value, cached)
    this.#ended(task, cached ? 'cached' : 'ok', value)
  }

  #taskEnd(task: Task, { outcome, updates, asked, error }: TaskResult): void {
    const { wants } = this.#graph
    if (!wants.tasks) return
    const told = wants.taskDetails ? resultOf(updates) : undefined
    // A command for the graph above is no failure.
    if (error?.thrown instanceof ParentCommand) this.#ended(task, 'ok', told)
    else this.#ended(task, outcome, told, asked, error)
  }

  #ended(
    task: Task,
    outcome: TaskEnd['outcome'],
    result: unknown,
    asked: TaskResult['asked'] = [],
    error?: TaskResult['error'],
  ): void {
    const { wants, scope, ns, step } = this.#graph
    if (!wants.tasks) return
    const node = task.spec.name
    const event: TaskEnd = { type: 'task.end', run: scope.run, node, step, task: task.id, outcome }
    if (ns.length > 0) event.ns = ns
    if (wants.taskDetails) {
      event.result = result
      event.interrupts = asked.map(({ id, value }) => ({ id, value }))
    }
    if (error !== undefined) event.error = wireErrorOf(error.thrown, node)
    scope.sink.emit(event)
  }

  #updates(task: Task, update: unknown, cached: boolean): void {
    const { wants, scope, ns, step } = this.#graph
    if (!wants.updates) return
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
    this.messages?.changed(this.#told ?? before, after)
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
      if (this.#lists.includes(key)) lists[key] = this.messages!.change(old[key], shown[key])
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

  /**
   * What tasks and graphs below told under an id that the state has holds only if it went into the state: readers get back
   * what they were told the state is, or `values` when they were told nothing yet.
   */
  restore(values: Values): void {
    const { ns, scope } = this.#graph
    if (scope.told.size === 0) return
    this.messages?.restore(this.#told ?? values)
    if (ns.length > 0) return
    for (const id of scope.told) if (!scope.openIds.has(id)) scope.told.delete(id)
  }

  /** Messages that the thread held before this run, for readers who have only this run. */
  history(values: Values): void {
    this.messages?.history(values)
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

  /** The run stops before or after a node because the caller asked for that. Answers what it tells as a question. */
  breakpoint(next: readonly string[]): Asked {
    const { scope } = this.#graph
    const id = stableId(`${this.#graph.checkpoint ?? scope.run}/breakpoint`)
    const asked = { id, value: { breakpoint: true, next } }
    scope.sink.emit({ type: 'interrupt', ...this.#place(), ...asked })
    return asked
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

/** An error of a node as it crosses the wire: what it says, under our code, with the node's name. */
export function wireErrorOf(thrown: unknown, node: string | undefined): WireError {
  if (thrown instanceof RivuletError)
    return { ...thrown.toJSON(), ...(thrown.node === undefined && node !== undefined && { node }) }
  return { code: 'NODE_FAILED', message: messageOfThrown(thrown), ...(node !== undefined && { node }) }
}
