import { RivuletError } from '@rivulet/protocol/model'
import type { NodeContext } from '../graph/node-context.ts'
import type { NodeSpec, RetryPolicy } from '../graph/plan.ts'
import { noContext } from '../runtime/async-context.ts'
import type { Task } from '../runtime/host.ts'
import { stableId } from '../runtime/ids.ts'
import { runTask } from '../runtime/task.ts'
import { currentContext, TaskContext } from '../runtime/task-context.ts'
import { own } from '../state/own.ts'

/** A function whose calls are tasks of the entrypoint (or node) that makes them. */
export interface TaskFunction<Args extends readonly unknown[], Result> {
  /** Calls it from the code that runs now. Throws `NO_CONTEXT` outside of a graph and where there is no AsyncLocalStorage. */
  (...args: Args): Promise<Result>
  /** Calls it for this context, on any platform. */
  within(ctx: NodeContext, ...args: Args): Promise<Result>
}

/**
 * Makes a function a task: its calls show in `updates` and `tasks`, can be retried, and do not run again when the node
 * that calls them resumes after an interrupt. Calls are told apart by their order, so make them in a fixed one.
 */
export function task<Args extends readonly unknown[], Result>(
  given: string | { name: string; retry?: RetryPolicy },
  run: (...args: Args) => Result | Promise<Result>,
): TaskFunction<Args, Result> {
  const { name, retry } = typeof given === 'string' ? { name: given, retry: undefined } : given
  const within = (ctx: NodeContext, ...args: Args) => call(ctx, name, retry, run, args)
  const ambient = async (...args: Args): Promise<Result> => {
    const ctx = currentContext()
    if (ctx === undefined) throw noContext(`task "${name}"`)
    return within(ctx, ...args)
  }
  return Object.assign(ambient, { within })
}

async function call<Args extends readonly unknown[], Result>(
  ctx: NodeContext,
  name: string,
  retry: RetryPolicy | undefined,
  run: (...args: Args) => Result | Promise<Result>,
  args: Args,
): Promise<Result> {
  if (!(ctx instanceof TaskContext))
    throw new RivuletError('NO_CONTEXT', 'a task runs with the ctx that a node was given')
  const caller = TaskContext.attemptOf(ctx)
  const { graph, task: parent } = caller
  const turn = graph.scope.turns.due()
  if (turn !== undefined) await turn
  caller.assertOpen('a task call was')
  let value: unknown
  const returned = async (): Promise<void> => {
    value = own(await run(...args))
    graph.scope.checkSavable({ value }, { who: `task "${name}"`, node: name, what: 'what it returned' })
  }
  const spec: NodeSpec = {
    name,
    run: returned,
    onError: undefined,
    retry,
    timeout: undefined,
    defer: false,
    metadata: parent.spec.metadata,
    tags: parent.spec.tags,
    graph: undefined,
    calls: [],
  }
  const id = stableId(`${parent.id}/${name}/${caller.nextFunction()}`)
  const made: Task = { id, spec, input: args, triggers: [parent.spec.name], sent: false }
  const before = graph.returned.get(id)
  if (before !== undefined) {
    graph.tellCall(made, { phase: 'returned', value: before.value, cached: true })
    // It was returned by the same call before the interrupt.
    return before.value as Result
  }
  graph.tellCall(made, { phase: 'start' })
  const result = await runTask(graph, made)
  if (result.outcome === 'ok') {
    graph.returned.set(id, { node: name, value })
    graph.tellCall(made, { phase: 'returned', value, cached: false })
    return value as Result
  }
  graph.tellCall(made, { phase: 'failed', result })
  if (result.asked.length > 0) throw caller.ask(result.asked)
  // oxlint-disable-next-line only-throw-error -- what the function threw is passed on untouched, whatever it is
  throw result.error === undefined ? graph.stopped : result.error.thrown
}
