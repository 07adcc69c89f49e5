import { type AnyCommand, Command } from '../graph/command.ts'
import type { Target } from '../graph/plan.ts'

/** A command for the graph above, on its way there. */
export class ParentCommand extends Error {
  override readonly name = 'ParentCommand'
  readonly update: unknown
  readonly goto: readonly Target[]

  constructor(update: unknown, goto: readonly Target[]) {
    super('a command for the parent graph was returned by a graph that has none')
    this.update = update
    this.goto = goto
  }
}

/** A command of a graph for the task that called it, thrown to leave that task's node. */
export class CommandFromBelow extends Error {
  override readonly name = 'CommandFromBelow'
  readonly command: AnyCommand

  constructor({ update, goto }: ParentCommand) {
    super('a graph that this node called goes on elsewhere; let this error pass')
    this.command = new Command({ update, goto })
  }
}
