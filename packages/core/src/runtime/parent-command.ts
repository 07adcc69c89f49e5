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
