/** Entry of a graph: edges from here run first. */
export const START = '__start__'
/** Exit of a graph: a path that gets here ends. */
export const END = '__end__'
/** Type of {@link START}. */
export type START = typeof START
/** Type of {@link END}. */
export type END = typeof END

/** Runs a node in the next step with its own input instead of the state. Returned by routers and in a command's `goto`. */
export class Send<const N extends string = string, I = unknown> {
  readonly node: N
  readonly input: I

  constructor(node: N, input: I) {
    this.node = node
    this.input = input
  }
}

/** What a {@link Command} does. */
export interface CommandOptions<G extends string = string, U = unknown, R = unknown> {
  /** State update, as a node would return it. */
  update?: U
  /** Where to go next, besides the node's edges. */
  goto?: G | Send<G> | readonly (G | Send<G>)[]
  /** Answers the thread's interrupts: the answer, or answers by interrupt id. As input of a run only. */
  resume?: R
  /** `Command.PARENT`: update and goto are meant for the graph that holds this one. */
  graph?: typeof Command.PARENT
}

/** An update and where to go next, together. In a node prefer `ctx.command`, which knows the graph's names and keys. */
export class Command<const G extends string = never, U = object, R = never> {
  static readonly PARENT = '__parent__' as const

  /** Tells a command from an update, for the compiler too. */
  readonly '~command': true = true
  readonly update: U | undefined
  readonly goto: readonly (G | Send)[]
  readonly resume: R | undefined
  readonly graph: '__parent__' | undefined

  constructor({ update, goto, resume, graph }: CommandOptions<G, U, R> = {}) {
    this.update = update
    this.goto = goto === undefined ? [] : isList(goto) ? goto : [goto]
    this.resume = resume
    this.graph = graph
  }
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value)
}

/** A command of which nothing is known. */
export type AnyCommand = Command<string, unknown, unknown>

/** Whether a value is a command, also one of another copy of this package. */
export function isCommand(value: unknown): value is AnyCommand {
  return typeof value === 'object' && value !== null && '~command' in value
}
