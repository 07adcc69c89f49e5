import {
  RivuletError,
  toJson,
  toRivuletError,
  type Custom,
  type Envelope,
  type ErrorCode,
  type Message,
} from '@rivulet/protocol/model'
import { ownMessage } from '../state/message-list.ts'
import { MAX_QUEUED_BYTES, type Wants } from '../stream/sink.ts'
import type { Asked, GraphHost, Task } from './host.ts'
import { stableId } from './ids.ts'

/** Tag that keeps messages out of the stream: they are seen only once they are in the state. */
const NOSTREAM = 'nostream'

/** Thrown by `ctx.interrupt` to leave the node; carries what is asked. */
export class InterruptSignal extends Error {
  override readonly name = 'InterruptSignal'
  readonly asked: readonly Asked[]

  constructor(asked: readonly Asked[]) {
    super('the node waits for a person; let this error pass')
    this.asked = asked
  }
}

/** One try of one task: what it emits, what it may still do, and its end. */
export class Attempt {
  readonly graph: GraphHost
  readonly task: Task
  readonly number: number
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  /** What was asked and not answered; set even if the node swallowed the signal. */
  asked: InterruptSignal | undefined
  /** When it last gave a sign of life; watched by the idle timeout. */
  onLife: (() => unknown) | undefined
  /** The attempt in whose place this one calls a graph, which something besides it may stop. */
  standsFor: Attempt | undefined
  #closed: RivuletError | undefined
  #controller: AbortController | undefined
  readonly #listeners = new Set<(reason: RivuletError) => void>()
  #messages = 0
  readonly #questions = new Map<string | undefined, number>()
  readonly #calls = new Map<string | undefined, number>()
  #functions = 0
  #idBase: string | undefined
  /** What readers saw under an id before this attempt showed its own, so that withdrawing it can tell. */
  readonly #shownBefore = new Map<string, Message | undefined>()

  constructor(graph: GraphHost, task: Task, number: number) {
    this.graph = graph
    this.task = task
    this.number = number
    const { tags, metadata } = task.spec
    this.tags = tags.length === 0 ? graph.tags : Object.freeze([...graph.tags, ...tags])
    this.metadata = metadata === undefined ? graph.metadata : Object.freeze({ ...graph.metadata, ...metadata })
  }

  get wants(): Wants {
    return this.graph.wants
  }

  /** Fires when the run is stopped, a sibling failed or the time is up. Made on first use. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#closed !== undefined) this.#controller.abort(this.#closed)
    }
    return this.#controller.signal
  }

  /** Whether the attempt is over, and why. */
  get closed(): RivuletError | undefined {
    return this.#closed
  }

  /** What every event of this attempt says about itself. */
  envelope(): Envelope & { task: string; node: string } {
    const { graph, task, number } = this
    const told: Envelope & { task: string; node: string } = {
      run: graph.scope.run,
      node: task.spec.name,
      step: graph.step,
      task: task.id,
    }
    if (graph.ns.length > 0) told.ns = graph.ns
    if (number > 1) told.attempt = number
    return told
  }

  /** Ends the attempt: nothing it writes from now on counts. With `abort` its signal fires with that reason. */
  close(reason: RivuletError, abort: boolean): void {
    if (this.#closed !== undefined) return
    this.#closed = reason
    if (abort) this.#controller?.abort(reason)
    for (const listener of this.#listeners) listener(reason)
    this.#listeners.clear()
  }

  /** Calls `listener` when the attempt is over, at once if it already is; the answer takes it off again. */
  onClose(listener: (reason: RivuletError) => void): () => void {
    if (this.#closed !== undefined) {
      listener(this.#closed)
      return () => {}
    }
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** It wrote, spoke or made progress: so its idle timeout, and that of every task it runs below, begins again. */
  alive(): void {
    this.onLife?.()
    this.graph.alive()
  }

  /** Throws when the attempt is over: what it emits would belong to nothing. */
  assertOpen(what: string): void {
    if (this.#closed === undefined) return
    const { name } = this.task.spec
    const ended = this.#closed.code === 'NO_CONTEXT'
    const code = ended ? 'NO_CONTEXT' : this.#closed.code
    const why = ended ? 'has already ended' : `was stopped: ${this.#closed.message}`
    throw new RivuletError(code, `${what} refused: node "${name}" ${why}`, { node: name, run: this.graph.scope.run })
  }

  /** Throws when more is queued than writes may add to: nothing waits for a reader in between. */
  assertRoom(what: string): void {
    if (!this.graph.scope.sink.full()) return
    const { name } = this.task.spec
    const how = `${what} refused: more than ${MAX_QUEUED_BYTES} bytes wait for a reader; await between writes`
    throw new RivuletError('LIMIT_EXCEEDED', how, { node: name, run: this.graph.scope.run })
  }

  /** Emits custom data of an attempt that is open. What is not JSON becomes an `error` event and the run goes on. */
  write(data: unknown, name: string | undefined, toolCallId: string | undefined): void {
    this.alive()
    if (!this.wants.custom) return
    this.assertRoom('a write was')
    let json: unknown
    try {
      json = toJson(data)
    } catch (error) {
      const { code, message } = toRivuletError(error, 'UNSERIALIZABLE')
      return this.tellError(code, `what node "${this.task.spec.name}" wrote is left out: ${message}`)
    }
    const { graph, task, number } = this
    // Written out: this is the path of every write, and spreading an envelope costs more than all the rest of it.
    const event: Custom = {
      type: 'custom',
      run: graph.scope.run,
      node: task.spec.name,
      step: graph.step,
      task: task.id,
      data: json,
    }
    if (graph.ns.length > 0) event.ns = graph.ns
    if (number > 1) event.attempt = number
    if (name !== undefined) event.name = name
    if (toolCallId !== undefined) event.toolCallId = toolCallId
    graph.scope.sink.emit(event)
  }

  /** Tells of something that failed and that the run goes on after. */
  tellError(code: ErrorCode, message: string): void {
    const node = this.task.spec.name
    this.graph.scope.sink.emit({ type: 'error', ...this.envelope(), error: { code, message, node } })
  }

  /** An id for a message made in this attempt: the same for the same run, task, attempt and place in it. */
  nextMessageId = (): string => {
    this.#idBase ??= stableId(`${this.graph.scope.run}/${this.task.id}/${this.number}`)
    return `${this.#idBase}.${this.#messages++}`
  }

  /**
   * Name of the next question in this attempt: its number, from 0. Tools may ask side by side, in any order: theirs are
   * counted by call.
   */
  nextQuestion(toolCallId: string | undefined): string {
    const number = this.#questions.get(toolCallId) ?? 0
    this.#questions.set(toolCallId, number + 1)
    return toolCallId === undefined ? String(number) : `${toolCallId}/${number}`
  }

  /** Notes what is asked, beside what was asked before, and answers what to leave the node with. */
  ask(asked: readonly Asked[]): InterruptSignal {
    this.asked = new InterruptSignal([...(this.asked?.asked ?? []), ...asked])
    return this.asked
  }

  /** Number of the next task called by function in this attempt, from 0. */
  nextFunction(): number {
    return this.#functions++
  }

  /** Number of the next graph called in this attempt, from 0; those of each tool call are counted by themselves. */
  nextCall(toolCallId: string | undefined): number {
    const number = this.#calls.get(toolCallId) ?? 0
    this.#calls.set(toolCallId, number + 1)
    return number
  }

  /** Whether what this attempt, or a call of it with more tags, says is kept from readers. */
  hides(tags: readonly string[] = this.tags): boolean {
    return tags.includes(NOSTREAM)
  }

  /** Shows a whole message unless it is hidden or readers have it like this already. Answers it as it is kept. */
  show(message: Message, after?: string): Message {
    const kept = ownMessage(message)
    const { shown, hiddenIds, openIds, told, sink } = this.graph.scope
    if (!this.wants.messages || this.hides() || hiddenIds.has(kept.id)) return kept
    const known = shown.get(kept.id) ?? this.graph.knownMessage(kept.id)
    if (known === kept || (known !== undefined && sameMessage(known, kept))) return kept
    if (openIds.has(kept.id)) {
      // Another task streams under this id: which of the two holds is said when the state is known.
      told.add(kept.id)
      return kept
    }
    this.noteShown(kept.id, kept)
    const meta = this.messageMeta()
    sink.emit({
      type: 'message',
      ...this.envelope(),
      message: meta === undefined ? kept : { ...kept, meta: { ...kept.meta, ...meta } },
      ...(after !== undefined && { after }),
    })
    return kept
  }

  /** Notes that readers have this message now; the last thing of an id may be `undefined`: that it is gone. */
  noteShown(id: string, message: Message | undefined): void {
    const { shown, told } = this.graph.scope
    this.rememberShown(id)
    if (message === undefined) shown.delete(id)
    else shown.set(id, message)
    told.add(id)
  }

  /** Keeps what readers have under an id now, for when this attempt is withdrawn. */
  rememberShown(id: string): void {
    if (!this.#shownBefore.has(id)) this.#shownBefore.set(id, this.graph.scope.shown.get(id))
    // Withdrawing a task withdraws what graphs below it told, too.
    this.graph.caller?.rememberShown(id)
    this.standsFor?.rememberShown(id)
  }

  /** Undoes {@link noteShown} after a rewind: readers have again what they had before. */
  forgetShown(): void {
    const { shown } = this.graph.scope
    for (const [id, before] of this.#shownBefore) {
      if (before === undefined) shown.delete(id)
      else shown.set(id, before)
    }
    this.#shownBefore.clear()
  }

  /** What messages of this attempt say once: tags, user metadata, the checkpoint their step started from. */
  messageMeta():
    | { tags?: readonly string[]; metadata?: Readonly<Record<string, unknown>>; checkpoint?: string }
    | undefined {
    const { checkpoint } = this.graph
    const bare = this.tags.length === 0 && checkpoint === undefined && Object.keys(this.metadata).length === 0
    if (bare) return undefined
    return {
      ...(this.tags.length > 0 && { tags: this.tags }),
      ...(Object.keys(this.metadata).length > 0 && { metadata: this.metadata }),
      ...(checkpoint !== undefined && { checkpoint }),
    }
  }
}

/** Whether two messages say the same, whatever their meta. */
export function sameMessage(a: Message, b: Message): boolean {
  if (a === b) return true
  const key = (m: Message) => JSON.stringify([m.role, m.content, m.parts, m.toolCalls, m.toolCallId, m.name])
  return a.content === b.content && key(a) === key(b)
}
