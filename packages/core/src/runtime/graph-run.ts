import { RivuletError, toRivuletError, type Message, type Namespace } from '@rivulet/protocol/model'
import type { Checkpoint, PendingStep, TaskRecord } from '../checkpoint/checkpointer.ts'
import { assertSavable } from '../checkpoint/savable.ts'
import { withEnded } from '../checkpoint/seen.ts'
import { END, START } from '../graph/command.ts'
import type { Plan, Target } from '../graph/plan.ts'
import { isSavable } from '../state/own.ts'
import {
  applyWrites,
  messageKeys,
  ownUpdate,
  reducedKeys,
  type Update,
  type Values,
  type Writes,
} from '../state/schema.ts'
import { plainMessage } from '../state/plain-message.ts'
import type { Wants } from '../stream/sink.ts'
import type { Attempt } from './attempt.ts'
import type { Asked, CallNews, Closable, GraphHost, Task, TaskResult } from './host.ts'
import { checkpointId, nodeTaskId, randomId, sendTaskId, taskBase } from './ids.ts'
import { ParentCommand } from './parent-command.ts'
import { Announcer } from './announcer.ts'
import { firstFailing, hasEnded, inApplyOrder, recordOf, restored, writesOf, type Ran } from './ran.ts'
import type { RunScope } from './run-scope.ts'
import type { Standing } from './standing.ts'
import { isEmpty, NOTHING, planNext, type Finished, type NextStep } from './step.ts'
import { runTask } from './task.ts'
import { ThreadWriter } from './thread-writer.ts'
import { runTogether } from './together.ts'

/** How a graph's run ended, short of an error. */
export interface Outcome {
  readonly status: 'done' | 'interrupted'
  readonly values: Values
  readonly asked: readonly Asked[]
}

/** One graph running: the root of a run, or a subgraph called by one of its tasks. Walks supersteps until nothing is left. */
export class GraphRun implements GraphHost {
  readonly scope: RunScope
  readonly plan: Plan
  readonly ns: Namespace
  readonly tags: readonly string[]
  readonly metadata: Readonly<Record<string, unknown>>
  readonly wants: Wants
  readonly sharedLists: readonly string[]
  readonly page: Namespace
  readonly announcer: Announcer
  readonly answers: Map<string, unknown> = new Map()
  /** State that the tasks of the current step read. */
  values: Values = {}
  /** Superstep under way. */
  step = 0
  stepsLeft: number = Infinity
  /** Checkpoint the current step started from. */
  checkpoint: string | undefined
  /** A task of this step has failed: the others are being aborted. */
  failing = false
  /** Tasks that asked in an earlier run and start again in this one, with their last attempt. */
  readonly resuming: Map<string, number> = new Map()
  readonly returned: Map<string, { readonly node: string; readonly value: unknown }> = new Map()
  #next: NextStep = NOTHING
  #tasksFrom: string | undefined
  /** What runs next was planned by this run; otherwise it goes on past the stop before it. */
  #fresh = false
  #done: readonly TaskRecord[] = []
  readonly #open = new Set<Closable>()
  #partials: readonly Message[] = []
  /** Writes what is kept of the thread, where there is one. */
  readonly #writer: ThreadWriter | undefined

  /** Node whose error ended the run. */
  failedNode: string | undefined
  readonly caller: Attempt | undefined

  /** `caller` is the attempt that calls this graph, and whether as its node; without one it is the root. */
  constructor(scope: RunScope, plan: Plan, ns: Namespace, caller?: Attempt, isNode = false) {
    this.scope = scope
    this.plan = plan
    this.ns = ns
    this.caller = caller
    this.tags = caller?.tags ?? scope.settings.tags
    this.metadata = caller?.metadata ?? scope.settings.metadata
    this.wants = ns.length > 0 && !scope.sink.wants.subgraphs ? NO_WANTS : scope.sink.wants
    const above = isNode && caller !== undefined ? messageKeys(caller.graph.plan.schema) : []
    this.sharedLists = messageKeys(plan.schema).filter((key) => above.includes(key))
    this.page = this.sharedLists.length === 0 ? ns : caller!.graph.page
    this.announcer = new Announcer(this)
    this.#writer = scope.thread && new ThreadWriter(scope.settings, scope.thread, ns)
  }

  /** Puts the run where it goes on from. */
  standAt(standing: Standing): void {
    this.values = standing.values
    this.step = standing.step
    this.checkpoint = standing.checkpoint
    this.#next = standing.next
    this.#tasksFrom = standing.tasksFrom
    this.#done = standing.tasks.filter((task) => task.updates !== undefined)
    for (const { task, node, interrupts, returned, attempt = 1 } of standing.tasks) {
      if (interrupts !== undefined) this.resuming.set(task, attempt)
      if (returned !== undefined) this.returned.set(task, { node, value: returned.value })
    }
    for (const [id, answer] of Object.entries(standing.answers)) this.answers.set(id, answer)
  }

  /** Takes a caller's update and plans what follows the entry. Answers the state before it. */
  enter(update: Update, targets: readonly Target[]): Values {
    const before = this.values
    this.write(update, 'the input')
    this.step++
    this.#planFrom(START, targets)
    return before
  }

  /** Applies an update outside of any step. */
  write(update: Update, writer: string): void {
    this.values = this.#after([{ writer, updates: [update] }])
  }

  /** The tasks of the next step stay the ones they are, whatever is saved before it. */
  keepTasks(): void {
    this.#tasksFrom = this.#taskBase()
  }

  #taskBase(): string {
    return this.#tasksFrom ?? taskBase(this.checkpoint ?? this.scope.run, this.ns, this.step + 1)
  }

  /** Goes on at these targets instead of what was planned. */
  jump(targets: readonly Target[]): void {
    this.#planFrom('', targets)
  }

  #planFrom(node: string, targets: readonly Target[]): void {
    this.#next = planNext(this.plan, [{ node, targets }], NOTHING)
    this.#tasksFrom = undefined
    this.#fresh = true
  }

  /** State with what had already ended of the next step: what readers saw last. */
  preview(): Values {
    return withEnded(this.plan.schema, { values: this.values, tasks: this.#done })
  }

  /** Runs superstep after superstep. Rejects with what a node threw, or with a typed error of ours. */
  async run(): Promise<Outcome> {
    let outcome: Outcome
    try {
      outcome = await this.#walk()
    } catch (thrown) {
      this.announcer.restore(this.values)
      await this.flush().catch((error: unknown) => {
        // What stopped the run is what it fails with; that the store failed too is told beside it.
        if (error !== thrown) this.announcer.error(toRivuletError(error).toJSON())
      })
      throw thrown
    }
    await this.flush()
    return outcome
  }

  async #walk(): Promise<Outcome> {
    const first = this.step
    const { interruptBefore, interruptAfter, recursionLimit, durability } = this.scope.settings
    let resumed = !this.#fresh
    while (!isEmpty(this.#next)) {
      const turn = this.scope.turns.due()
      if (turn !== undefined) await turn
      if (this.stopped !== undefined) throw this.stopped
      if (!resumed && this.#breaksAt(interruptBefore, this.#names())) return this.#paused()
      if (this.step - first >= recursionLimit) throw this.#tooLong()
      if (this.scope.sink.room() !== undefined) await this.scope.waitForRoom()
      if (durability === 'sync') await this.#writer?.written()
      resumed = false
      this.stepsLeft = recursionLimit - (this.step - first) - 1
      const ran = this.#names()
      const asked = await this.#superstep()
      if (asked.length > 0) return { status: 'interrupted', values: this.values, asked }
      if (this.#breaksAt(interruptAfter, ran) && !isEmpty(this.#next)) return this.#paused()
    }
    return { status: 'done', values: this.values, asked: [] }
  }

  get stopped(): RivuletError | undefined {
    return this.caller === undefined ? this.scope.stopped : this.caller.closed
  }

  onStop(listener: (reason: RivuletError) => void): () => void {
    return this.caller === undefined ? this.scope.onStop(listener) : this.caller.onClose(listener)
  }

  tellCall(task: Task, what: CallNews): void {
    this.announcer.call(task, what)
  }

  refuseAnswer(id: string, reason: RivuletError): void {
    this.scope.refusedAnswer ??= reason
    this.scope.answers.delete(id)
    this.answers.delete(id)
    // Each graph on the way down was given a copy, and would keep it.
    this.caller?.graph.refuseAnswer(id, reason)
  }

  /** Whether a router or a command may lead there. */
  isTarget(name: string): boolean {
    return name === END || this.plan.nodes.has(name)
  }

  /** A message of the current state or of a graph above, by id. */
  knownMessage(id: string): Message | undefined {
    return this.announcer.messages?.known(this.values, id) ?? this.caller?.graph.knownMessage(id)
  }

  /** Whatever shape its message lists, or those of a graph above, can read; without any, only our own. */
  readMessage(message: unknown, makeId: () => string): Message {
    const [key] = messageKeys(this.plan.schema)
    const list = key === undefined ? undefined : this.plan.schema.fields[key]?.list
    if (list !== undefined) return list.read(message, makeId)
    return this.caller === undefined ? plainMessage(message, makeId) : this.caller.graph.readMessage(message, makeId)
  }

  /** An attempt begins; it is closed with the run, a failing sibling, or its own end. */
  open(attempt: Closable): void {
    this.#open.add(attempt)
  }

  close(attempt: Closable, reason: RivuletError): void {
    this.#open.delete(attempt)
    attempt.close(reason, reason.code !== 'NO_CONTEXT')
  }

  /** Takes back what a failed attempt emitted. */
  withdraw(attempt: Closable): void {
    const { task, number } = attempt
    attempt.forgetShown()
    this.announcer.rewind(task, number)
  }

  /** What a task of this graph does is a sign of life of the task that called the graph. */
  alive(): void {
    this.caller?.alive()
  }

  async #superstep(): Promise<readonly Asked[]> {
    const tasks = this.#tasks()
    this.step++
    const fresh = this.#done.length === 0 && this.resuming.size === 0
    const ran = fresh ? await this.#runFresh(tasks) : await this.#runRest(tasks)
    const halted =
      this.stopped !== undefined || ran.some(({ result }) => result.error !== undefined || result.asked.length > 0)
    if (halted) return this.#halt(ran)
    this.#commit(ran)
    return NOBODY_ASKED
  }

  async #runFresh(tasks: readonly Task[]): Promise<readonly Ran[]> {
    for (const task of tasks) this.announcer.taskStart(task)
    const results = await this.#runAll(tasks)
    return tasks.map((task, i) => ({ task, result: results[i]! }))
  }

  /** Runs what is left of a step that had stopped half way: what had ended counts as it was, what asked starts again. */
  async #runRest(tasks: readonly Task[]): Promise<readonly Ran[]> {
    const done = new Map(this.#done.map((record) => [record.task, record]))
    for (const task of tasks) if (done.has(task.id)) this.announcer.cached(task, done.get(task.id)!)
    const open = tasks.filter((task) => !done.has(task.id))
    for (const task of open) {
      const before = this.resuming.get(task.id)
      if (before !== undefined) this.announcer.rewind(task, before)
    }
    const ran = new Map((await this.#runFresh(open)).map((one) => [one.task.id, one]))
    return tasks.map((task) => ran.get(task.id) ?? { task, result: restored(done.get(task.id)!) })
  }

  /** The step cannot be finished: keeps what it can, then throws, or answers what is asked. */
  #halt(ran: readonly Ran[]): readonly Asked[] {
    this.#leaveHalfway(ran)
    const failed = ran.find(({ result }) => result.error !== undefined)
    const thrown = failed?.result.error?.thrown
    if (this.stopped !== undefined) this.#keepPartials(ran)
    if (thrown instanceof ParentCommand) throw thrown
    if (this.stopped !== undefined) throw this.stopped
    if (failed === undefined) {
      // Told by the root alone: every graph on the way up has kept its questions by then.
      if (this.scope.refusedAnswer !== undefined && this.caller === undefined) throw this.scope.refusedAnswer
      return ran.flatMap(({ result }) => result.asked)
    }
    this.failedNode = failed.task.spec.name
    throw thrown
  }

  /** The tasks of the next step: sends in their order, then nodes by name. */
  #tasks(): Task[] {
    const { nodes, sends } = this.#next
    const base = this.#taskBase()
    const tasks: Task[] = []
    for (const [i, send] of sends.entries()) {
      const spec = this.plan.nodes.get(send.node)!
      tasks.push({
        id: sendTaskId(base, i, send.node),
        spec,
        input: send.input,
        triggers: ['Send'],
        sent: true,
      })
    }
    for (const { name, triggers } of nodes) {
      const spec = this.plan.nodes.get(name)!
      tasks.push({ id: nodeTaskId(base, name), spec, input: this.values, triggers, sent: false })
    }
    return tasks
  }

  /** Runs the step's tasks; when one fails or the graph is stopped, the others are aborted. */
  #runAll(tasks: readonly Task[]): Promise<readonly TaskResult[]> {
    return runTogether(tasks, {
      limit: this.scope.settings.maxConcurrency,
      run: (task) => runTask(this, task),
      ended: (task, result) => this.announcer.taskEnd(task, result),
      failedBeside: ({ spec }) => {
        this.failing = true
        return new RivuletError('CANCELLED', `node "${spec.name}" failed beside it`, { run: this.scope.run })
      },
      abort: (reason) => {
        this.#partials = this.ns.length > 0 ? [] : (this.announcer.messages?.partials() ?? [])
        for (const attempt of this.#open) this.close(attempt, reason)
      },
      onStop: (listener) => this.onStop(listener),
      turns: this.scope.turns,
    })
  }

  /**
   * A run that was stopped keeps what its models had said so far: it is on the page, so it is in the state, beside what
   * the step's other tasks had written.
   */
  #keepPartials(ran: readonly Ran[]): void {
    const { schema } = this.plan
    const [key] = messageKeys(schema)
    if (key === undefined || this.#partials.length === 0) return
    const before = this.values
    const said = ownUpdate(schema, { [key]: this.#partials }, 'the stopped run', randomId)
    // Nothing more comes of them: what has come is what they are.
    for (const { id } of this.#partials) this.scope.openIds.delete(id)
    const after = this.#applied(inApplyOrder(ran.filter(hasEnded)))
    this.values = applyWrites(schema, after, [{ writer: 'the stopped run', updates: [said] }])
    this.announcer.values(before, this.values)
    this.save('loop', before, { next: NOTHING })
  }

  /** Applies what the step wrote, in an order that does not depend on who was faster, and plans the next. */
  #commit(ran: readonly Ran[]): void {
    const ordered = ran.length === 1 ? ran : inApplyOrder(ran)
    const before = this.values
    this.values = this.#applied(ordered)
    const finished = ordered.map(({ task, result }): Finished => ({ node: task.spec.name, targets: result.targets }))
    this.#next = planNext(this.plan, finished, this.#next)
    this.#tasksFrom = undefined
    this.#clearPending()
    this.returned.clear()
    const wrote = this.values !== before || ran.some(({ result }) => result.updates.length > 0)
    if (wrote) this.announcer.values(before, this.values)
    else this.announcer.restore(this.values)
    this.save('loop', before)
  }

  /** The state after these tasks' writes. A reducer may throw: then the run's error says whose write that was. */
  #applied(ordered: readonly Ran[]): Values {
    const writes = ordered.map(writesOf)
    try {
      return this.#after(writes)
    } catch (thrown) {
      const culprit = ordered[firstFailing(writes, (some) => this.#after(some))]
      this.failedNode = culprit?.task.spec.name
      throw thrown
    }
  }

  /** The state after these writes. What was written can be kept; what reducers make of it is looked at here. */
  #after(writes: readonly Writes[]): Values {
    const { schema } = this.plan
    const values = applyWrites(schema, this.values, writes)
    if (this.#writer !== undefined && values !== this.values) {
      for (const key of reducedKeys(schema)) {
        if (isSavable(values[key])) continue
        const by = writes.findLast(({ updates }) => updates.some((update) => Object.hasOwn(update, key)))
        assertSavable({ [key]: values[key] }, { who: `the reducer, given what ${by?.writer} wrote,` })
      }
    }
    return values
  }

  /** The step that had stopped half way is complete: nothing is pending at its checkpoint any more. */
  #clearPending(): void {
    if (this.#done.length === 0 && this.resuming.size === 0) return
    this.#done = []
    this.resuming.clear()
    this.keepPending({ tasks: [], answers: {} })
  }

  /** Keeps at the checkpoint what had ended when the step could not be finished, and shows it beside a question. */
  #leaveHalfway(ran: readonly Ran[]): void {
    const asked = ran.some(({ result }) => result.asked.length > 0)
    if (this.#writer !== undefined) {
      const called = [...this.returned].map(([task, { node, value }]) => ({ task, node, returned: { value } }))
      const tasks = [...inApplyOrder(ran).flatMap(recordOf), ...called]
      this.#writer.release()
      if (tasks.length > 0) this.keepPending({ tasks, answers: Object.fromEntries(this.answers) })
    }
    if (!asked || this.stopped !== undefined) return
    const before = this.values
    this.values = this.#applied(inApplyOrder(ran.filter(hasEnded)))
    if (this.values !== before) this.announcer.values(before, this.values)
    else this.announcer.restore(this.values)
  }

  /** Keeps a checkpoint of the state as it is now; `before` is its parent's state, `facts` what it says otherwise. */
  save(
    source: Checkpoint['source'],
    before: Values | undefined,
    facts: Partial<Pick<Checkpoint, 'next' | 'input' | 'tasksFrom' | 'metadata'>> = {},
  ): void {
    if (this.#writer === undefined) return
    const now = Date.now()
    const checkpoint: Checkpoint = {
      id: checkpointId(now),
      parent: this.checkpoint,
      step: this.step,
      source,
      createdAt: now,
      values: this.values,
      next: this.#next,
      metadata: this.scope.settings.metadata,
      ...(this.#tasksFrom !== undefined && { tasksFrom: this.#tasksFrom }),
      ...(this.ns.length > 0 && { graph: this.plan.name }),
      ...facts,
    }
    this.checkpoint = checkpoint.id
    this.announcer.checkpoint(checkpoint)
    this.#writer.put(checkpoint, before)
  }

  /** Keeps what is pending at the checkpoint that the next step starts from. */
  keepPending({ tasks, answers }: PendingStep): void {
    if (this.checkpoint !== undefined) this.#writer?.putPending(this.checkpoint, { tasks, answers })
  }

  /** Resolves when all that is kept is written; rejects with what the store failed with. */
  async flush(): Promise<void> {
    await this.#writer?.flush()
  }

  #names(): readonly string[] {
    return [...this.#next.nodes.map(({ name }) => name), ...this.#next.sends.map(({ node }) => node)]
  }

  #breaksAt(nodes: readonly string[], names: readonly string[]): boolean {
    return nodes.length > 0 && this.ns.length === 0 && names.some((name) => nodes.includes(name) || nodes.includes('*'))
  }

  #paused(): Outcome {
    return { status: 'interrupted', values: this.values, asked: [this.announcer.breakpoint(this.#names())] }
  }

  #tooLong(): RivuletError {
    const { recursionLimit } = this.scope.settings
    const how = `the graph took ${recursionLimit} steps without ending; nodes that would run next: ${this.#names().join(', ')}`
    return new RivuletError('RECURSION_LIMIT', `${how}. Raise recursionLimit if that is intended.`, {
      run: this.scope.run,
    })
  }
}

const NO_WANTS: Wants = {
  values: false,
  updates: false,
  tasks: false,
  taskDetails: false,
  checkpoints: false,
  messages: false,
  custom: false,
  tools: false,
  subgraphs: false,
}

const NOBODY_ASKED: readonly Asked[] = []
