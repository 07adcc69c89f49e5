import { RivuletError } from '@rivulet/protocol'
import { isCommand, Send } from '../graph/command.ts'
import type { Branch, NodeSpec, RetryPolicy, Target } from '../graph/plan.ts'
import type { NodeContext } from '../graph/node-context.ts'
import { applyWrites, ownUpdate, type Update } from '../state/schema.ts'
import { Attempt, InterruptSignal } from './attempt.ts'
import { runWithContext } from './async-context.ts'
import type { GraphHost, Task, TaskResult } from './host.ts'
import { ParentCommand } from './parent-command.ts'
import { TaskContext } from './task-context.ts'

const NONE: readonly never[] = []

/** Runs a task to its end, all attempts of it. Never rejects: failing is a result. */
export async function runTask(graph: GraphHost, task: Task): Promise<TaskResult> {
  const policy = task.spec.retry
  for (let number = 1; ; number++) {
    const attempt = new Attempt(graph, task, number)
    const result = { ...(await runAttempt(attempt)), attempt: number }
    if (result.error === undefined || policy === undefined || !mayRetry(graph, policy, number, result.error.thrown)) {
      return result.error !== undefined && task.spec.onError !== undefined ? handleError(attempt, result) : result
    }
    graph.withdraw(attempt)
    if (!(await pause(graph, retryDelay(policy, number)))) return ABORTED
  }
}

/** What is left of a task whose run was stopped. */
export const ABORTED: TaskResult = { outcome: 'aborted', updates: NONE, targets: NONE, asked: NONE }

const ENDED = new RivuletError('NO_CONTEXT', 'the task has ended')

async function runAttempt(attempt: Attempt): Promise<TaskResult> {
  const { graph, task } = attempt
  graph.open(attempt)
  const stopWatch = task.spec.timeout === undefined ? undefined : graph.watch(attempt, task.spec.timeout)
  try {
    const ctx = new TaskContext(attempt)
    const returned = runWithContext(ctx, () => task.spec.run(task.input, ctx))
    const collector = new Collector(attempt)
    if (task.spec.timeout === undefined) await collector.take(isThenable(returned) ? await returned : returned)
    else await untilClosed(attempt, collector.takeLater(returned))
    if (attempt.asked !== undefined) return interrupted(attempt.asked)
    if (attempt.closed !== undefined) return failed(attempt.closed)
    const branches = graph.plan.branches.get(task.spec.name)
    if (branches !== undefined) await collector.route(branches, ctx)
    return { outcome: 'ok', updates: collector.updates, targets: collector.targets, asked: NONE }
  } catch (thrown) {
    if (attempt.asked !== undefined) return interrupted(attempt.asked)
    if (thrown instanceof InterruptSignal) return interrupted(thrown)
    return failed(attempt.closed ?? thrown)
  } finally {
    stopWatch?.()
    graph.close(attempt, ENDED)
  }
}

/** The work, or the reason the attempt was closed for: a node that ignores its signal must not hold up the run. */
function untilClosed(attempt: Attempt, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = attempt.onClose(reject)
    work.then(resolve, reject).finally(off)
  })
}

function interrupted(signal: InterruptSignal): TaskResult {
  return { outcome: 'interrupted', updates: NONE, targets: NONE, asked: signal.asked }
}

function failed(thrown: unknown): TaskResult {
  return { outcome: 'error', updates: NONE, targets: NONE, asked: NONE, error: { thrown } }
}

async function handleError(failedAttempt: Attempt, result: TaskResult): Promise<TaskResult> {
  const { graph, task, number } = failedAttempt
  if (graph.stopped !== undefined) return result
  graph.withdraw(failedAttempt)
  const handler: NodeSpec = {
    ...task.spec,
    run: (state, ctx) => task.spec.onError!(result.error!.thrown, state, ctx),
    timeout: undefined,
  }
  return runAttempt(new Attempt(graph, { ...task, spec: handler }, number + 1))
}

/** Where the routers of a node lead after these updates. For the graph's entry, which is no task. */
export async function routesFrom(graph: GraphHost, task: Task, updates: readonly Update[]): Promise<readonly Target[]> {
  const branches = graph.plan.branches.get(task.spec.name)
  if (branches === undefined) return NONE
  const attempt = new Attempt(graph, task, 1)
  const collector = new Collector(attempt)
  collector.updates.push(...updates)
  await collector.route(branches, new TaskContext(attempt))
  attempt.close(ENDED, false)
  return collector.targets
}

/** Reads what a node returned: updates, commands, or a stream of them. */
class Collector {
  readonly updates: Update[] = []
  readonly targets: Target[] = []
  readonly #attempt: Attempt

  constructor(attempt: Attempt) {
    this.#attempt = attempt
  }

  async takeLater(returned: unknown): Promise<void> {
    await this.take(await returned)
  }

  async take(returned: unknown): Promise<void> {
    if (returned === undefined || returned === null) return
    if (isCommand(returned)) return this.#command(returned)
    if (typeof returned !== 'object') throw this.#wrong(`a ${typeof returned}`)
    if (Symbol.asyncIterator in returned) {
      for await (const item of returned as AsyncIterable<unknown>) {
        if (this.#attempt.closed !== undefined) throw this.#attempt.closed
        this.#attempt.onLife?.()
        await this.take(item)
      }
    } else if (Array.isArray(returned)) {
      for (const item of returned as readonly unknown[]) await this.take(item)
    } else this.#update(returned)
  }

  #update(update: object): void {
    const { graph, task, nextMessageId } = this.#attempt
    if (Object.keys(update).length === 0) return
    this.updates.push(ownUpdate(graph.plan.schema, update, `node "${task.spec.name}"`, nextMessageId))
  }

  #command(command: { update: unknown; goto: readonly Target[]; graph: '__parent__' | undefined }): void {
    if (command.graph !== undefined) throw new ParentCommand(command.update, command.goto)
    if (command.update !== undefined && command.update !== null) {
      if (typeof command.update !== 'object') throw this.#wrong(`a command whose update is a ${typeof command.update}`)
      this.#update(command.update)
    }
    for (const target of command.goto) this.#target(target, 'a command')
  }

  #target(target: unknown, from: string): void {
    const { graph, task } = this.#attempt
    const name = target instanceof Send ? target.node : target
    if (typeof name === 'string' && graph.isTarget(name)) {
      this.targets.push(target as Target)
      return
    }
    const known = [...graph.plan.nodes.keys()].join(', ')
    throw new RivuletError(
      'INVALID_UPDATE',
      `${from} of node "${task.spec.name}" leads to ${JSON.stringify(name)}, which is no node; there are: ${known}, END`,
      { node: task.spec.name },
    )
  }

  /** Asks the routers of a node, which see the state with this task's own writes. */
  async route(branches: readonly Branch[], ctx: NodeContext): Promise<void> {
    const { graph, task } = this.#attempt
    const writes = [{ writer: `node "${task.spec.name}"`, updates: this.updates }]
    const state = applyWrites(graph.plan.schema, graph.values, writes)
    for (const { route, targets } of branches) {
      const answer = await runWithContext(ctx, () => route(state, ctx))
      for (const one of Array.isArray(answer) ? (answer as readonly unknown[]) : [answer]) {
        const target = one instanceof Send || targets === undefined ? one : targets.get(one)
        this.#target(target === undefined && one !== undefined ? one : target, 'the router')
      }
    }
  }

  #wrong(what: string): RivuletError {
    const { name } = this.#attempt.task.spec
    return new RivuletError(
      'INVALID_UPDATE',
      `node "${name}" returned ${what}; return an object with state keys, a Command, or nothing`,
      {
        node: name,
      },
    )
  }
}

function mayRetry(graph: GraphHost, policy: RetryPolicy, number: number, thrown: unknown): boolean {
  if (graph.stopped !== undefined || graph.failing || number >= (policy.attempts ?? 3)) return false
  if (thrown instanceof ParentCommand) return false
  return (policy.retryOn ?? isRetryable)(thrown)
}

/** Everything but our own errors that say they are not, cancellation, and answers a provider will not change. */
function isRetryable(thrown: unknown): boolean {
  if (thrown instanceof RivuletError) return thrown.retryable || thrown.code === 'NODE_TIMEOUT'
  if (typeof thrown !== 'object' || thrown === null) return true
  const { name, status } = thrown as { name?: unknown; status?: unknown }
  if (name === 'AbortError') return false
  return typeof status !== 'number' || !((status >= 400 && status <= 407) || status === 409)
}

function retryDelay(
  { delayMs = 500, backoff = 2, maxDelayMs = 128_000, jitter = true }: RetryPolicy,
  number: number,
): number {
  return (
    Math.min(delayMs * backoff ** (number - 1), maxDelayMs) + (jitter ? Math.random() * Math.min(1000, delayMs) : 0)
  )
}

/** Waits; `false` when the run was stopped meanwhile. */
function pause(graph: GraphHost, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      off()
      resolve(true)
    }, ms)
    const off = graph.onStop(() => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
