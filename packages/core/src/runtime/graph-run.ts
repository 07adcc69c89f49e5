import {
  formatNamespace,
  RivuletError,
  sameNamespace,
  toRivuletError,
  type Message,
  type Namespace,
} from '@rivulet/protocol/model'
import { diffOf } from '../checkpoint/change.ts'
import type { Checkpoint, SavedCheckpoint, TaskRecord } from '../checkpoint/checkpointer.ts'
import { assertSavable } from '../checkpoint/savable.ts'
import { writeTo, type CheckpointWrite } from '../checkpoint/write.ts'
import { withEnded } from '../checkpoint/seen.ts'
import { END, START } from '../graph/command.ts'
import type { Plan, Target, TimeoutPolicy } from '../graph/plan.ts'
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
import { messageById } from '../state/message-list.ts'
import { plainMessage } from '../state/plain-message.ts'
import type { Wants } from '../stream/sink.ts'
import type { Attempt } from './attempt.ts'
import type { Asked, CallNews, Closable, GraphHost, Task, TaskResult } from './host.ts'
import { checkpointId, nodeTaskId, randomId, sendTaskId, taskBase } from './ids.ts'
import { ParentCommand } from './parent-command.ts'
import { storeError, type RunScope } from './run-scope.ts'
import { Announcer } from './announcer.ts'
import { isEmpty, NOTHING, planNext, type Finished, type NextStep } from './step.ts'
import { runTask } from './task.ts'
import { runTogether } from './together.ts'

/** How a graph's run ended, short of an error. */
export interface Outcome {
  readonly status: 'done' | 'interrupted'
  readonly values: Values
  readonly asked: readonly Asked[]
}

/** What a graph's run goes on from. */
export interface Standing {
  readonly values: Values
  readonly next: NextStep
  /** Step of the checkpoint; the first superstep is one above. */
  readonly step: number
  readonly checkpoint: string | undefined
  /** Tasks of the next step that had ended or asked before. */
  readonly tasks: readonly TaskRecord[]
  readonly answers: ReadonlyMap<string, unknown>
  /** What the ids of the next step's tasks are made from, where that is not the checkpoint. */
  readonly tasksFrom?: string | undefined
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
  #writing: Promise<void> = Promise.resolve()
  #storeError: RivuletError | undefined
  #partials: readonly Message[] = []
  #unwritten: { checkpoint: Checkpoint; before: Values | undefined } | undefined

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
    for (const [id, answer] of standing.answers) this.answers.set(id, answer)
  }

  /** Takes a caller's update and plans what follows the entry. Answers the state before it. */
  enter(update: Update, targets: readonly Target[]): Values {
    const before = this.values
    this.write(update, 'the input')
    this.step++
    this.#next = planNext(this.plan, [{ node: START, targets }], NOTHING)
    this.#fresh = true
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
    this.#next = planNext(this.plan, [{ node: '', targets }], NOTHING)
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
      await this.#flush().catch((error: unknown) => {
        // What stopped the run is what it fails with; that the store failed too is told beside it.
        if (error !== thrown) this.announcer.error(toRivuletError(error).toJSON())
      })
      throw thrown
    }
    await this.#flush()
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
      if (durability === 'sync') await this.#written()
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

  /** Whether a router or a command may lead there. */
  refuseAnswer(id: string, reason: RivuletError): void {
    this.scope.refusedAnswer ??= reason
    this.scope.answers.delete(id)
    this.answers.delete(id)
    // Each graph on the way down was given a copy, and would keep it.
    this.caller?.graph.refuseAnswer(id, reason)
  }

  isTarget(name: string): boolean {
    return name === END || this.plan.nodes.has(name)
  }

  /** A message of the current state or of a graph above, by id. */
  knownMessage(id: string): Message | undefined {
    for (const key of messageKeys(this.plan.schema)) {
      const list = this.values[key] as readonly Message[] | undefined
      const found = list && messageById(list, id)
      if (found !== undefined) return found
    }
    return this.caller?.graph.knownMessage(id)
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

  /** Aborts the attempt when its time is up. Returns what ends the watch. */
  watch(attempt: Closable, { runMs, idleMs }: TimeoutPolicy): () => void {
    const { name } = attempt.task.spec
    const expire = (how: string): void =>
      attempt.close(
        new RivuletError('NODE_TIMEOUT', `node "${name}" ${how}`, { node: name, run: this.scope.run }),
        true,
      )
    const whole = runMs === undefined ? undefined : setTimeout(expire, runMs, `ran longer than ${runMs} ms`)
    const stopIdle = idleMs === undefined ? undefined : this.#watchIdle(attempt, idleMs, expire)
    return () => {
      clearTimeout(whole)
      stopIdle?.()
    }
  }

  /** One timer whatever happens in between: when it fires, it waits for what is left since the last sign of life. */
  #watchIdle(attempt: Closable, idleMs: number, expire: (how: string) => void): () => void {
    let last = performance.now()
    attempt.onLife = () => (last = performance.now())
    const look = (): void => {
      const left = last + idleMs - performance.now()
      if (left > 0) timer = setTimeout(look, Math.ceil(left))
      else expire(`gave no sign of life for ${idleMs} ms`)
    }
    let timer = setTimeout(look, idleMs)
    return () => {
      clearTimeout(timer)
      attempt.onLife = undefined
    }
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
        this.#partials = this.#streamedHere()
        for (const attempt of this.#open) this.close(attempt, reason)
      },
      onStop: (listener) => this.onStop(listener),
      turns: this.scope.turns,
    })
  }

  /** What models of this graph have streamed of messages that are not complete. */
  #streamedHere(): readonly Message[] {
    return [...this.scope.streaming].flatMap((one) => (sameNamespace(one.page, this.ns) ? (one.partial() ?? []) : []))
  }

  /**
   * A run that was stopped keeps what its models had said so far: it is on the page, so it is in the state, beside what
   * the step's other tasks had written.
   */
  #keepPartials(ran: readonly Ran[]): void {
    const { schema } = this.plan
    const [key] = messageKeys(schema)
    if (key === undefined || this.#partials.length === 0 || this.ns.length > 0) return
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
    if (this.scope.keeps && values !== this.values) {
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
    const { checkpointer, threadId } = this.scope.settings
    const { checkpoint } = this
    if (checkpointer === undefined || threadId === undefined || checkpoint === undefined) return
    const ns = formatNamespace(this.ns)
    this.#keep({ kind: 'pending', threadId, ns, id: checkpoint, pending: { tasks: [], answers: {} } })
  }

  /** Keeps at the checkpoint what had ended when the step could not be finished, and shows it beside a question. */
  #leaveHalfway(ran: readonly Ran[]): void {
    const asked = ran.some(({ result }) => result.asked.length > 0)
    const { checkpointer, threadId } = this.scope.settings
    const { checkpoint } = this
    if (checkpointer !== undefined && threadId !== undefined && checkpoint !== undefined) {
      const called = [...this.returned].map(([task, { node, value }]) => ({ task, node, returned: { value } }))
      const tasks = [...inApplyOrder(ran).flatMap(recordOf), ...called]
      const pending = { tasks, answers: Object.fromEntries(this.answers) }
      this.#writeLast()
      if (tasks.length > 0)
        this.#keep({ kind: 'pending', threadId, ns: formatNamespace(this.ns), id: checkpoint, pending })
    }
    if (!asked || this.stopped !== undefined) return
    const before = this.values
    this.values = this.#applied(inApplyOrder(ran.filter(hasEnded)))
    if (this.values !== before) this.announcer.values(before, this.values)
    else this.announcer.restore(this.values)
  }

  /** Writes a checkpoint of the state as it is now; `before` is its parent's state. */
  save(
    source: Checkpoint['source'],
    before: Values | undefined,
    extra: { next?: NextStep; input?: Update } = {},
  ): void {
    const { settings } = this.scope
    if (settings.checkpointer === undefined || settings.threadId === undefined) return
    const now = Date.now()
    const checkpoint: Checkpoint = {
      id: checkpointId(now),
      parent: this.checkpoint,
      step: this.step,
      source,
      createdAt: now,
      values: this.values,
      next: extra.next ?? this.#next,
      metadata: settings.metadata,
      ...(extra.input !== undefined && { input: extra.input }),
    }
    this.checkpoint = checkpoint.id
    this.announcer.checkpoint(checkpoint)
    if (settings.durability === 'exit') {
      const { checkpoint: earlier, before: start } = this.#unwritten ?? { checkpoint, before }
      this.#unwritten = { checkpoint: { ...checkpoint, parent: earlier.parent }, before: start }
    } else this.#write(checkpoint, before)
  }

  #write(checkpoint: Checkpoint, before: Values | undefined): void {
    const change = before === undefined ? undefined : diffOf(before, checkpoint.values)
    // `save` has checked that there is a thread.
    const threadId = this.scope.settings.threadId!
    this.#keep({ kind: 'put', threadId, ns: formatNamespace(this.ns), checkpoint, change })
  }

  /** Hands over what is kept: in its place among the events, or to the store, one after the other. */
  #keep(write: CheckpointWrite): void {
    const { sink, checkpointer } = this.scope.settings
    const before = this.#writing
    this.#writing =
      sink.keep === undefined
        ? before.then(() => writeTo(checkpointer!, write))
        : Promise.all([before, sink.keep(write)]).then(() => {})
    // A failing store is told where the run waits for it; until then it must not count as unhandled.
    this.#writing.catch(() => {})
  }

  /** Writes the checkpoint that was held back until the run ends. */
  #writeLast(): void {
    const unwritten = this.#unwritten
    this.#unwritten = undefined
    if (unwritten !== undefined) this.#write(unwritten.checkpoint, unwritten.before)
  }

  async #flush(): Promise<void> {
    this.#writeLast()
    await this.#written()
  }

  async #written(): Promise<void> {
    try {
      await this.#writing
    } catch (error) {
      this.#storeError ??= storeError(error)
      throw this.#storeError
    }
  }

  #names(): readonly string[] {
    return [...this.#next.nodes.map(({ name }) => name), ...this.#next.sends.map(({ node }) => node)]
  }

  #breaksAt(nodes: readonly string[], names: readonly string[]): boolean {
    return nodes.length > 0 && this.ns.length === 0 && names.some((name) => nodes.includes(name) || nodes.includes('*'))
  }

  #paused(): Outcome {
    this.announcer.breakpoint(this.#names())
    return { status: 'interrupted', values: this.values, asked: [] }
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

/** A task with how it ended. */
interface Ran {
  readonly task: Task
  readonly result: TaskResult
}

const NOBODY_ASKED: readonly Asked[] = []

/** Whether a task's result stands, whatever becomes of its step. */
function hasEnded({ result }: Ran): boolean {
  return result.outcome === 'ok' || result.outcome === 'cached'
}

function inApplyOrder(ran: readonly Ran[]): readonly Ran[] {
  return [...ran.filter(({ task }) => !task.sent), ...ran.filter(({ task }) => task.sent)]
}

/** Index of the first of `writes` up to which they cannot be applied. */
function firstFailing(writes: readonly Writes[], apply: (some: readonly Writes[]) => unknown): number {
  return writes.findIndex((_, i) => {
    try {
      apply(writes.slice(0, i + 1))
      return false
    } catch {
      return true
    }
  })
}

function writesOf({ task, result }: Ran): Writes {
  return { writer: `node "${task.spec.name}"`, updates: result.updates }
}

function recordOf({ task, result }: Ran): TaskRecord[] {
  const base = { task: task.id, node: task.spec.name }
  const { outcome, updates, targets, asked, attempt = 1 } = result
  if (outcome === 'ok') return [{ ...base, updates, targets }]
  if (outcome === 'cached') return [{ ...base, updates, targets, shown: true }]
  return asked.length > 0 ? [{ ...base, interrupts: asked, attempt }] : []
}

function restored({ updates = [], targets = [] }: TaskRecord): TaskResult {
  return { outcome: 'cached', updates, targets, asked: [] }
}

/** The standing of a thread that has no checkpoint yet. */
export function freshStanding(values: Values): Standing {
  return { values, next: NOTHING, step: -1, checkpoint: undefined, tasks: [], answers: new Map() }
}

/** The standing that a checkpoint describes. */
export function standingOf(saved: SavedCheckpoint): Standing {
  return {
    values: saved.values,
    next: saved.next,
    step: saved.step,
    checkpoint: saved.id,
    tasks: saved.tasks,
    answers: new Map(Object.entries(saved.answers)),
    tasksFrom: saved.tasksFrom,
  }
}
