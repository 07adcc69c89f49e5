import { messageOfThrown, RivuletError } from '@rivulet/protocol/model'
import { isCommand, Send } from '../graph/command.ts'
import type { Branch, NodeSpec, RetryPolicy, Target } from '../graph/plan.ts'
import type { NodeContext } from '../graph/node-context.ts'
import { own } from '../state/own.ts'
import { applyWrites, ownUpdate, type Update } from '../state/schema.ts'
import { Attempt, InterruptSignal } from './attempt.ts'
import { runWithContext } from './async-context.ts'
import type { GraphHost, Task, TaskResult } from './host.ts'
import { CommandFromBelow, ParentCommand } from './parent-command.ts'
import { TaskContext } from './task-context.ts'
import { limitTime } from './time-limits.ts'

const NONE: readonly never[] = []

/** Runs a task to its end, all attempts of it. Never rejects: failing is a result. */
export async function runTask(graph: GraphHost, task: Task): Promise<TaskResult> {
  const { retry, onError } = task.spec
  for (let attempt = new Attempt(graph, task, 1); ;) {
    const result = { ...(await runAttempt(attempt)), attempt: attempt.number }
    const { error } = result
    // A command for the graph above is no failure, and once the step is being left nothing new starts.
    if (error === undefined || error.thrown instanceof ParentCommand || isLeft(graph)) return result
    if (retry === undefined || !mayRetry(attempt, retry, error.thrown)) {
      return onError === undefined ? result : handleError(attempt, error.thrown)
    }
    graph.withdraw(attempt)
    attempt = new Attempt(graph, task, attempt.number + 1)
    if (!(await pause(attempt, retryDelay(retry, attempt.number - 1)))) return ABORTED
  }
}

/** Whether the step this graph is in cannot be finished any more. */
function isLeft(graph: GraphHost): boolean {
  return graph.stopped !== undefined || graph.failing
}

/** What is left of a task whose run was stopped. */
export const ABORTED: TaskResult = { outcome: 'aborted', updates: NONE, targets: NONE, asked: NONE }

const ENDED = new RivuletError('NO_CONTEXT', 'the task has ended')

async function runAttempt(attempt: Attempt): Promise<TaskResult> {
  const { graph, task } = attempt
  graph.open(attempt)
  const { timeout } = task.spec
  const stopWatch = timeout === undefined ? undefined : limitTime(attempt, graph.scope.run, timeout)
  const collector = new Collector(attempt)
  try {
    const ctx = new TaskContext(attempt)
    const returned = runWithContext(ctx, () => task.spec.run(task.input, ctx))
    if (stopWatch === undefined) await collector.take(isThenable(returned) ? await returned : returned)
    else await untilClosed(attempt, collector.takeLater(returned))
    const branches = graph.plan.branches.get(task.spec.name)
    if (branches !== undefined && attempt.asked === undefined && attempt.closed === undefined) {
      const routed = collector.route(branches, ctx)
      await (stopWatch === undefined ? routed : untilClosed(attempt, routed))
    }
    return attempt.asked === undefined && attempt.closed === undefined ? collector.result() : broken(attempt, undefined)
  } catch (thrown) {
    if (!(thrown instanceof CommandFromBelow) || attempt.asked !== undefined) return broken(attempt, thrown)
    return await afterCommandFromBelow(attempt, collector, thrown)
  } finally {
    stopWatch?.()
    graph.close(attempt, ENDED)
  }
}

/** A graph that this node called as a function sends it on: that stands for what the node would have returned. */
async function afterCommandFromBelow(
  attempt: Attempt,
  collector: Collector,
  { command }: CommandFromBelow,
): Promise<TaskResult> {
  try {
    await collector.take(command)
    return collector.result()
  } catch (thrown) {
    return broken(attempt, thrown)
  }
}

/** The result of an attempt that did not come to its end: what it asked counts first, then why it was closed. */
function broken(attempt: Attempt, thrown: unknown): TaskResult {
  const signal = attempt.asked ?? (thrown instanceof InterruptSignal ? thrown : undefined)
  if (signal !== undefined) return { outcome: 'interrupted', updates: NONE, targets: NONE, asked: signal.asked }
  const error = { thrown: attempt.closed ?? thrown }
  return { outcome: 'error', updates: NONE, targets: NONE, asked: NONE, error }
}

/** The work, or the reason the attempt was closed for: a node that ignores its signal must not hold up the run. */
function untilClosed(attempt: Attempt, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const off = attempt.onClose(reject)
    void work.then(resolve, reject).finally(off)
  })
}

async function handleError(failedAttempt: Attempt, thrown: unknown): Promise<TaskResult> {
  const { graph, task, number } = failedAttempt
  graph.withdraw(failedAttempt)
  const handler: NodeSpec = {
    ...task.spec,
    run: (state, ctx) => task.spec.onError!(thrown, state, ctx),
    timeout: undefined,
  }
  const result = await runAttempt(new Attempt(graph, { ...task, spec: handler }, number + 1))
  return { ...result, attempt: number + 1 }
}

/** Where the routers of a node lead after these updates. For the graph's entry, which is no task. */
export async function routesFrom(graph: GraphHost, task: Task, updates: readonly Update[]): Promise<readonly Target[]> {
  const branches = graph.plan.branches.get(task.spec.name)
  if (branches === undefined) return NONE
  if (graph.stopped !== undefined) throw graph.stopped
  const attempt = new Attempt(graph, task, 1)
  const off = graph.onStop((reason) => attempt.close(reason, true))
  try {
    const collector = new Collector(attempt)
    collector.updates.push(...updates)
    await untilClosed(attempt, collector.route(branches, new TaskContext(attempt)))
    return collector.targets
  } finally {
    off()
    attempt.close(ENDED, false)
  }
}

/** Reads what a node returned: updates, commands, or a stream of them. */
class Collector {
  readonly updates: Update[] = []
  readonly targets: Target[] = []
  readonly #attempt: Attempt

  constructor(attempt: Attempt) {
    this.#attempt = attempt
  }

  result(): TaskResult {
    return { outcome: 'ok', updates: this.updates, targets: this.targets, asked: NONE }
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
        this.#assertOpen()
        this.#attempt.alive()
        await this.take(item)
        const turn = this.#attempt.graph.scope.turns.due()
        if (turn !== undefined) await turn
        // The generator must not be asked to go on either.
        this.#assertOpen()
      }
    } else if (Array.isArray(returned)) {
      for (const item of returned as readonly unknown[]) await this.take(item)
    } else this.#update(returned)
  }

  #assertOpen(): void {
    if (this.#attempt.closed !== undefined) throw this.#attempt.closed
  }

  #update(update: object): void {
    const { graph, task, nextMessageId } = this.#attempt
    if (Object.keys(update).length === 0) return
    const { name } = task.spec
    const taken = ownUpdate(graph.plan.schema, update, `node "${name}"`, nextMessageId)
    graph.scope.checkSavable(taken, { who: `node "${name}"`, node: name })
    this.updates.push(taken)
  }

  #command(command: { update: unknown; goto: readonly Target[]; graph: '__parent__' | undefined }): void {
    if (command.graph !== undefined) throw new ParentCommand(command.update, command.goto)
    // Several calls of a tool node may hand over together: then there are several updates.
    const updates: readonly unknown[] = Array.isArray(command.update) ? command.update : [command.update]
    for (const update of updates) {
      if (update === undefined || update === null) continue
      if (typeof update !== 'object') throw this.#wrong(`a command whose update is a ${typeof update}`)
      this.#update(update)
    }
    for (const target of command.goto) this.#target(target, 'a command')
  }

  #target(target: unknown, from: string): void {
    const { graph } = this.#attempt
    const name = target instanceof Send ? target.node : target
    if (typeof name === 'string' && (target instanceof Send ? graph.plan.nodes.has(name) : graph.isTarget(name))) {
      this.targets.push(target instanceof Send ? this.#sent(name, target.input) : name)
      return
    }
    throw this.#lost(from, name, [...graph.plan.nodes.keys(), ...(target instanceof Send ? [] : ['END'])])
  }

  /** What is sent is state of its own: whoever made it or reads of it must not be able to change it. */
  #sent(to: string, input: unknown): Send {
    const { graph, task } = this.#attempt
    const node = task.spec.name
    const taken = own(input)
    graph.scope.checkSavable({ input: taken }, { who: `node "${node}"`, node, what: `its send to "${to}"` })
    return new Send(to, taken)
  }

  #lost(from: string, name: unknown, known: readonly string[]): RivuletError {
    const { task } = this.#attempt
    const how = `${from} of node "${task.spec.name}" leads to ${JSON.stringify(name)}, which is no node`
    return new RivuletError('INVALID_UPDATE', `${how}; there are: ${known.join(', ')}`, { node: task.spec.name })
  }

  /** Asks the routers of a node, which see the state with this task's own writes. */
  async route(branches: readonly Branch[], ctx: NodeContext): Promise<void> {
    const { graph, task } = this.#attempt
    const writes = [{ writer: `node "${task.spec.name}"`, updates: this.updates }]
    const state = applyWrites(graph.plan.schema, graph.values, writes)
    for (const { route, targets } of branches) {
      const answer = await runWithContext(ctx, () => route(state, ctx))
      for (const one of Array.isArray(answer) ? (answer as readonly unknown[]) : [answer]) this.#routed(one, targets)
    }
  }

  #routed(answer: unknown, targets: Branch['targets']): void {
    if (answer instanceof Send || targets === undefined) return this.#target(answer, 'the router')
    const target = targets.get(String(answer))
    if (target !== undefined) return this.#target(target, 'the router')
    const { name } = this.#attempt.task.spec
    const how = `the router of node "${name}" answered ${JSON.stringify(answer)}, which is none of its targets`
    throw new RivuletError('INVALID_UPDATE', `${how}: ${[...targets.keys()].join(', ')}`, { node: name })
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

function mayRetry(attempt: Attempt, policy: RetryPolicy, thrown: unknown): boolean {
  if (attempt.number >= (policy.attempts ?? 3)) return false
  try {
    return (policy.retryOn ?? isRetryable)(thrown)
  } catch (error) {
    // What the node threw is what the run fails with; that the predicate failed too is told beside it.
    attempt.tellError('NODE_FAILED', `retryOn of node "${attempt.task.spec.name}" threw: ${messageOfThrown(error)}`)
    return false
  }
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

/** Waits before an attempt; `false` when it is not to be made any more. */
function pause(attempt: Attempt, ms: number): Promise<boolean> {
  attempt.graph.open(attempt)
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      off()
      resolve(true)
    }, ms)
    const off = attempt.onClose(() => {
      clearTimeout(timer)
      resolve(false)
    })
  })
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function'
}
