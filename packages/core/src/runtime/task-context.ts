import { RivuletError, toJson, type MessageInput, type Namespace } from '@rivulet/protocol/model'
import { Command, type CommandOptions } from '../graph/command.ts'
import type { NodeContext, Progress } from '../graph/node-context.ts'
import { own } from '../state/own.ts'
import type { StandardSchema } from '../state/standard-schema.ts'
import { describeIssues, jsonSchemaOf } from '../state/standard-schema.ts'
import type { Attempt } from './attempt.ts'
import { ambientContext, noContext } from './async-context.ts'
import { stableId } from './ids.ts'

/** A tool's call: what its context belongs to. */
export interface ToolCallScope {
  readonly callId: string
  /** Fires with the node's signal, and when the call's time is up. */
  readonly signal: AbortSignal
  /** The call has its end: nothing that its context is asked to do belongs to anything any more. */
  ended: boolean
}

/** What a node (or a tool in it) is given beside its state. Its functions may be taken off it. */
export class TaskContext implements NodeContext {
  readonly #attempt: Attempt
  readonly #call: ToolCallScope | undefined
  /** Id of the tool call this context belongs to; `undefined` in a node itself. */
  readonly toolCallId: string | undefined

  constructor(attempt: Attempt, call?: ToolCallScope) {
    this.#attempt = attempt
    this.#call = call
    this.toolCallId = call?.callId
  }

  /** Name of the node. */
  get node(): string {
    return this.#attempt.task.spec.name
  }

  /** Superstep, from 1. */
  get step(): number {
    return this.#attempt.graph.step
  }

  /** Supersteps that may follow this one in its graph before `RECURSION_LIMIT`. */
  get stepsLeft(): number {
    return this.#attempt.graph.stepsLeft
  }

  /** Id of the task: stable when it runs again after a crash or an interrupt, so it can serve as an idempotency key. */
  get task(): string {
    return this.#attempt.task.id
  }

  /** Which try this is, from 1. */
  get attempt(): number {
    return this.#attempt.number
  }

  /** Path of the graph this node is in; `[]` at the root. */
  get namespace(): Namespace {
    return this.#attempt.graph.ns
  }

  /** Tags of the run and the node. */
  get tags(): readonly string[] {
    return this.#attempt.tags
  }

  /** Metadata of the run and the node. */
  get metadata(): Readonly<Record<string, unknown>> {
    return this.#attempt.metadata
  }

  /** What the caller passed as `context`. */
  get context(): unknown {
    return this.#attempt.graph.scope.settings.context
  }

  get runId(): string {
    return this.#attempt.graph.scope.run
  }

  get threadId(): string | undefined {
    return this.#attempt.graph.scope.settings.threadId
  }

  /** The state this task read. */
  get state(): unknown {
    return this.#attempt.task.input
  }

  /** Fires when the run is stopped, a sibling failed or the time is up. */
  get signal(): AbortSignal {
    return this.#call?.signal ?? this.#attempt.signal
  }

  /** Sends custom data to whoever watches, at once. JSON; anything else becomes an `error` event. Throws once the task is over. */
  get writer(): (data: unknown, name?: string) => void {
    return (data, name) => this.#open('a write was').write(data, name, this.toolCallId)
  }

  /** Tells how far something is: custom data named `progress`. A number is `done`. */
  get progress(): (progress: Progress | number) => void {
    return (progress) => {
      const data = typeof progress === 'number' ? { done: progress } : progress
      this.#open('a write was').write(data, 'progress', this.toolCallId)
    }
  }

  /** An update and where to go next; completes the graph's names and keys. */
  get command(): NodeContext['command'] {
    return <G extends string>(options: CommandOptions<G, unknown, never>) =>
      new Command<G, object>(options as CommandOptions<G, object, never>)
  }

  /**
   * Asks a person and answers what they said. The first time it leaves the node by throwing; once answered, the node runs
   * again from its start and this returns the answer. Needs a checkpointer. An answer that does not fit `schema` is not
   * taken: the run fails with `INVALID_INPUT`, and the question goes on waiting.
   */
  get interrupt(): NodeContext['interrupt'] {
    return (value, options) => ask(this.#open('a question was'), value, options?.schema, this.toolCallId)
  }

  /** Runs a graph below this task, with its namespace, streaming live. Works where there is no AsyncLocalStorage too. */
  get run(): NodeContext['run'] {
    return (graph, input) => graph.runWithin(this, input)
  }

  /** Shows a message at once, before the node returns; it enters the state only if the node returns it too. */
  get pushMessage(): (message: MessageInput | string) => string {
    return (message) => {
      const attempt = this.#open('a message was')
      attempt.assertRoom('a message was')
      attempt.alive()
      return attempt.show(attempt.graph.readMessage(message, attempt.nextMessageId)).id
    }
  }

  /** The attempt, while it and the tool's call go on. */
  #open(what: string): Attempt {
    this.#attempt.assertOpen(what)
    if (this.#call?.ended) {
      throw new RivuletError('NO_CONTEXT', `${what} refused: tool call "${this.#call.callId}" has already ended`, {
        node: this.node,
        run: this.runId,
      })
    }
    return this.#attempt
  }

  /** @internal The attempt behind this context. */
  static attemptOf(ctx: TaskContext): Attempt {
    return ctx.#attempt
  }

  /** @internal The attempt behind this context, while it and the tool's call go on. */
  static openAttemptOf(ctx: TaskContext, what: string): Attempt {
    return ctx.#open(what)
  }
}

function ask<T>(
  attempt: Attempt,
  value: unknown,
  schema: StandardSchema<unknown, T> | undefined,
  toolCallId: string | undefined,
): T {
  const { graph, task } = attempt
  const { name } = task.spec
  if (graph.scope.thread === undefined) {
    throw new RivuletError('UNSUPPORTED', `node "${name}" interrupts, which needs a checkpointer and a threadId`)
  }
  const id = stableId(`${task.id}/interrupt/${attempt.nextQuestion(toolCallId)}`)
  if (graph.answers.has(id)) {
    const reading = readAnswer(graph.answers.get(id), schema, id)
    if ('value' in reading) return reading.value
    graph.refuseAnswer(id, reading.refused)
  }
  const told = jsonSchemaOf(schema)
  const asked = own({ id, value: toJson(value), ...(told !== undefined && { schema: told }), node: name, ns: graph.ns })
  throw attempt.ask([asked])
}

function readAnswer<T>(
  answer: unknown,
  schema: StandardSchema<unknown, T> | undefined,
  id: string,
): { value: T } | { refused: RivuletError } {
  // Without a schema the caller vouches for the type, as with any other input.
  if (schema === undefined) return { value: answer as T }
  const result = schema['~standard'].validate(answer)
  if (result instanceof Promise)
    throw new RivuletError('UNSUPPORTED', 'the schema of an answer must validate synchronously')
  if (result.issues === undefined) return { value: result.value }
  const how = `the answer to interrupt ${id} is not valid: ${describeIssues(result.issues)}`
  return { refused: new RivuletError('INVALID_INPUT', how) }
}

/** The writer of the node this code runs in. Throws `NO_CONTEXT` outside of one, and where the platform cannot tell. */
export function getWriter(): (data: unknown, name?: string) => void {
  return current('getWriter()').writer
}

/** The context of the node this code runs in. Throws `NO_CONTEXT` outside of one, and where the platform cannot tell. */
export function getContext(): NodeContext {
  return current('getContext()')
}

/** {@link TaskContext.interrupt} of the node this code runs in. Throws `NO_CONTEXT` outside of one. */
export function interrupt<T = unknown>(value: unknown, options?: { schema?: StandardSchema<unknown, T> }): T {
  return current('interrupt()').interrupt(value, options)
}

/** The context of the node or tool this code runs in; `undefined` outside of one, and where the platform cannot tell. */
export function currentContext(): TaskContext | undefined {
  const context = ambientContext()
  return context instanceof TaskContext ? context : undefined
}

function current(what: string): TaskContext {
  const context = currentContext()
  if (context === undefined) throw noContext(what)
  return context
}
