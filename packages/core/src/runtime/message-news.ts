import type { Envelope, ListChange, Message } from '@rivulet/protocol'
import { sameNamespace } from '@rivulet/protocol/model'
import { appendedTo, isRemoval, messageById, type MessageChanges } from '../state/message-list.ts'
import type { Values } from '../state/schema.ts'
import { Attempt, sameMessage } from './attempt.ts'
import type { GraphHost, Task, TaskResult } from './host.ts'

/** How {@link MessageNews} is made for one graph's run. */
export type NewsOfLists = new (graph: GraphHost, lists: readonly string[]) => MessageNews

/** Tells readers what becomes of a graph's message lists. It comes with `messages()`: a graph without lists needs none. */
export class MessageNews {
  readonly #graph: GraphHost
  readonly #lists: readonly string[]

  constructor(graph: GraphHost, lists: readonly string[]) {
    this.#graph = graph
    this.#lists = lists
  }

  /** Shows the messages a task returned, where readers do not have them like this yet. */
  returned(task: Task, { updates, attempt: number = 1 }: TaskResult): void {
    const { wants } = this.#graph
    if (this.#lists.length === 0 || !(wants.messages || wants.values)) return
    const messages = updates.flatMap((update) => this.#lists.flatMap((key) => messagesIn(update[key])))
    if (messages.length === 0) return
    const attempt = new Attempt(this.#graph, task, number)
    for (const message of messages) attempt.show(message)
  }

  /** Says what a commit removed or made different from what was shown. */
  changed(before: Values, after: Values): void {
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

  /** Says of what was told since the last commit what the state has under its id. */
  restore(state: Values): void {
    const { scope, wants } = this.#graph
    if (!(wants.messages || wants.values)) return
    for (const id of scope.told) {
      const message = this.known(state, id)
      if (message !== undefined) this.#putUnlessShown(message)
    }
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

  /** How a list is told to have become what it is now. */
  change(before: unknown, after: unknown): ListChange {
    const old = (before ?? []) as readonly Message[]
    const now = after as readonly Message[]
    if (old.length === 0) return { ids: now.map(({ id }) => id) }
    const same = () => now.length >= old.length && old.every((message, i) => message.id === now[i]!.id)
    const tail = appendedTo(old, now) ?? (same() ? now.slice(old.length) : undefined)
    return tail === undefined ? { ids: now.map(({ id }) => id) } : { append: tail.map(({ id }) => id) }
  }

  /** The message of a state with this id. */
  known(state: Values, id: string): Message | undefined {
    for (const key of this.#lists) {
      const found = messageById((state[key] ?? []) as readonly Message[], id)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** What models of this graph have streamed of messages that are not complete. */
  partials(): readonly Message[] {
    const { scope, ns } = this.#graph
    return [...scope.streaming].flatMap((one) => (sameNamespace(one.page, ns) ? (one.partial() ?? []) : []))
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
