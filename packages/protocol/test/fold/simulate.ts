import { PROTOCOL_VERSION, taskSegment, type Envelope, type Namespace, type RunEvent } from '../../src/index.ts'
import { interpret } from './oracle.ts'
import type { Tape } from './tape.ts'

/** Ids a graph of the thread knows from step to step: its message list, and what else it has shown. */
interface Graph {
  readonly ns: Namespace
  /** The attempt that called it; none at the root. */
  readonly caller?: Attempt
  ids: string[]
  loose: string[]
  step: number
  /** A commit that has not been told yet: a runtime may tell it late. */
  lag: RunEvent[]
}

interface Task {
  readonly id: string
  readonly node: string
  number: number
}

/** How an attempt or a step came out, and the messages it made. */
interface Result {
  outcome: 'ok' | 'interrupted' | 'failed'
  made: string[]
}

/** A message that is streaming: what is needed to go on legally. */
interface Open {
  readonly id: string
  readonly lengths: number[]
}

/** One try of a task. `undo` takes back what the simulation noted for it. */
interface Attempt {
  readonly graph: Graph
  readonly task: Task
  readonly at: Envelope
  readonly made: string[]
  readonly open: Open[]
  readonly undo: (() => unknown)[]
  hasCalled: boolean
}

type Events<T> = Generator<RunEvent, T>

const NODES = ['agent', 'tools', 'writer'] as const
const TEXTS = ['a', 'bc', '', '😀', 'd e f', '\n'] as const
const RUNS = 4

/** A legal thread of a graph of ours, told by a tape: runs one after another, each with its supersteps and tasks. */
export function simulate(tape: Tape): RunEvent[] {
  return new Simulation(tape).tell()
}

class Simulation {
  readonly #tape: Tape
  readonly #hasLists: boolean
  readonly #told: RunEvent[] = []
  readonly #root: Graph = { ns: [], ids: [], loose: [], step: 0, lag: [] }
  /** Ids that stream now, by whom: nobody else may write to them. */
  readonly #open = new Map<string, Attempt>()
  /** Ids that are new to a namespace, by who brought them: until the step is over nobody else there touches them. */
  readonly #claims = new Map<string, Attempt>()
  /** Names that providers gave to messages of ours; until the step is over only the attempt that told one uses it. */
  readonly #names = new Map<string, { name: string; by: Attempt | undefined }>()
  /** Tasks of the root's current step, each with its latest try. */
  readonly #flying = new Map<string, { task: Task; attempt?: Attempt; result?: Result }>()
  /** Committed states a fork can go back to: the list, and how much had been told. */
  readonly #history: { ids: readonly string[]; told: number }[] = []
  #run = ''
  #runs = 0
  #counter = 0
  /** The root's step is not over, and a `values` has shown some of it. */
  #isHalfway = false
  #waiting: { tasks: Task[]; carried: string[]; attempts: Attempt[] } | undefined
  #questions: string[] = []

  constructor(tape: Tape) {
    this.#tape = tape
    this.#hasLists = !tape.chance(20)
  }

  tell(): RunEvent[] {
    while (!this.#tape.isOver && this.#runs < RUNS) for (const event of this.#runEvents()) this.#told.push(event)
    return this.#told
  }

  #next(kind: string): string {
    return `${kind}${++this.#counter}`
  }

  *#runEvents(): Events<void> {
    const tape = this.#tape
    this.#run = `r${++this.#runs}`
    const resumes = this.#waiting !== undefined && !tape.chance(30)
    const asked = this.#questions.filter(() => !tape.chance(20))
    this.#questions = resumes ? this.#questions.filter((id) => !asked.includes(id)) : []
    yield {
      type: 'run.start',
      ...this.#at(this.#root),
      graph: 'agent',
      protocol: PROTOCOL_VERSION,
      ...(resumes && { resume: asked }),
    }
    const status = yield* this.#untilEnd(resumes)
    this.#open.clear()
    this.#claims.clear()
    this.#flying.clear()
    yield { type: 'run.end', run: this.#run, status, ...(tape.chance(20) && { checkpoint: this.#next('c') }) }
    while (tape.chance(15)) yield this.#lateEvent()
  }

  /** The run's body, which may be cut anywhere: for good, or by a crash after which the run begins again. */
  *#untilEnd(resumes: boolean): Events<'done' | 'interrupted' | 'error' | 'cancelled'> {
    const tape = this.#tape
    let attempt = 1
    let body = resumes ? this.#resumed() : this.#fresh()
    for (;;) {
      const next = body.next()
      if (next.done) return next.value
      yield next.value
      if (!tape.chance(3)) continue
      body.return('done')
      this.#open.clear()
      this.#claims.clear()
      if (!tape.chance(50)) return yield* this.#cancelled()
      yield { type: 'run.start', run: this.#run, attempt: ++attempt, protocol: PROTOCOL_VERSION }
      body = this.#recovered()
    }
  }

  /** The list as it was saved with what the run had made: some of it was taken, some stays where it is. */
  *#cancelled(): Events<'cancelled'> {
    const made = [...this.#flying.values()].flatMap(({ attempt }) => attempt?.made ?? [])
    for (const { task } of this.#flying.values()) {
      if (this.#tape.chance(50)) yield { type: 'task.end', ...this.#at(this.#root, task), outcome: 'aborted' }
    }
    // What a later step builds on was told before, or nobody could know of it.
    yield* this.#root.lag
    this.#root.lag = []
    if (this.#tape.chance(50)) yield* this.#commit(this.#root, made)
    return 'cancelled'
  }

  *#fresh(): Events<'done' | 'interrupted' | 'error'> {
    const root = this.#root
    const tape = this.#tape
    root.loose.push(...(this.#waiting?.carried ?? []))
    this.#waiting = undefined
    // What no list took is gone with its names when a run starts afresh.
    for (const id of root.loose) this.#names.delete(id)
    if (this.#hasLists && this.#history.length > 0 && tape.chance(20)) yield this.#fork()
    const input: string[] = []
    while (input.length < 3 && tape.chance(60)) {
      const id = this.#next('u')
      input.push(id)
      yield { type: 'message', ...this.#at(root), message: { id, role: 'user', content: tape.of(TEXTS) } }
    }
    if (this.#hasLists) root.ids.push(...input)
    if (!tape.chance(10)) yield this.#full(root)
    return yield* this.#steps(root)
  }

  *#resumed(): Events<'done' | 'interrupted' | 'error'> {
    const { tasks, carried, attempts } = this.#waiting!
    this.#waiting = undefined
    for (const attempt of attempts) undoAll(attempt)
    for (const task of tasks) this.#flying.set(task.id, { task })
    for (const task of tasks) yield this.#rewind(this.#root, task)
    if (!this.#tape.chance(20)) yield this.#full(this.#root)
    if (this.#tape.chance(50)) for (const task of tasks) task.number = 1
    return yield* this.#steps(this.#root, { tasks, carried })
  }

  /** After a crash the tasks that were under way start again; those that had ended may count or start again too. */
  *#recovered(): Events<'done' | 'interrupted' | 'error'> {
    const root = this.#root
    root.lag = []
    const flying = [...this.#flying.values()]
    if (this.#hasLists && this.#tape.chance(30)) {
      for (const { attempt } of flying) if (attempt !== undefined) undoAll(attempt)
      this.#flying.clear()
      yield this.#goTo(root.ids, this.#told.length, 'recovery')
      if (flying.length > 0) root.step--
      return yield* this.#steps(root)
    }
    // What a `values` has shown of a step that was not over is told as kept.
    const kept = flying.filter(({ result }) => result?.outcome === 'ok' && (this.#isHalfway || this.#tape.chance(50)))
    const redo = flying.filter((flight) => !kept.includes(flight)).map(({ task }) => task)
    for (const { attempt } of flying) if (redo.some((task) => task === attempt?.task)) undoAll(attempt!)
    for (const task of redo) yield this.#rewind(root, task)
    this.#flying.clear()
    yield this.#full(root)
    if (flying.length === 0) return yield* this.#steps(root)
    return yield* this.#steps(root, { tasks: redo, carried: kept.flatMap(({ result }) => result?.made ?? []) })
  }

  *#steps(graph: Graph, goOn?: { tasks: Task[]; carried: string[] }): Events<'done' | 'interrupted' | 'error'> {
    let again = goOn
    for (let left = 1 + this.#tape.pick(3); left > 0; left--) {
      const { outcome, made } = yield* this.#step(graph, again)
      again = undefined
      if (outcome === 'interrupted') return outcome
      if (outcome === 'failed') return 'error'
      yield* this.#commit(graph, made)
    }
    yield* graph.lag
    graph.lag = []
    return 'done'
  }

  *#step(graph: Graph, goOn?: { tasks: Task[]; carried: string[] }): Events<Result> {
    const tape = this.#tape
    this.#isHalfway &&= graph !== this.#root
    if (goOn === undefined) graph.step++
    const tasks =
      goOn?.tasks ??
      Array.from({ length: 1 + tape.pick(3) }, () => ({ id: this.#next('t'), node: tape.of(NODES), number: 1 }))
    for (const task of tasks) yield { type: 'task.start', ...this.#at(graph, task) }
    const results = yield* this.#sideBySide(graph, tasks)
    yield* graph.lag
    graph.lag = []
    for (const claim of this.#claims.keys()) if (claim.startsWith(claimOf(graph, ''))) this.#claims.delete(claim)
    const made = [...(goOn?.carried ?? []), ...results.filter((r) => r.outcome === 'ok').flatMap((r) => r.made)]
    const waits = tasks.filter((_, i) => results[i]?.outcome === 'interrupted')
    if (results.some((result) => result.outcome === 'failed')) return { outcome: 'failed', made }
    if (waits.length === 0) {
      if (graph === this.#root) this.#flying.clear()
      return { outcome: 'ok', made }
    }
    if (graph === this.#root) {
      const attempts = waits.flatMap(({ id }) => this.#flying.get(id)?.attempt ?? [])
      this.#waiting = { tasks: waits, carried: made, attempts }
    }
    // What the others returned may be shown at once, although the step is not over.
    if (this.#hasLists && made.length > 0 && tape.chance(40)) {
      this.#isHalfway ||= graph === this.#root
      yield this.#halfway(graph, made)
    }
    return { outcome: 'interrupted', made }
  }

  *#sideBySide(graph: Graph, tasks: readonly Task[]): Events<Result[]> {
    const tape = this.#tape
    const results: Result[] = []
    const running = tasks.map((task, i) => ({ i, events: this.#task(graph, task) }))
    while (running.length > 0) {
      if (graph.lag.length > 0 && tape.chance(30)) yield graph.lag.shift()!
      const one = tape.of(running)
      const next = one.events.next()
      if (!next.done) yield next.value
      else {
        results[one.i] = next.value
        running.splice(running.indexOf(one), 1)
      }
    }
    return results
  }

  *#task(graph: Graph, task: Task): Events<Result> {
    const isRoot = graph === this.#root
    if (isRoot) this.#flying.set(task.id, { task })
    for (;;) {
      const attempt: Attempt = {
        graph,
        task,
        at: this.#at(graph, task),
        made: [],
        open: [],
        undo: [],
        hasCalled: false,
      }
      if (isRoot) this.#flying.set(task.id, { task, attempt })
      const result = yield* this.#attempt(attempt)
      if (result.outcome === 'failed') {
        undoAll(attempt)
        yield this.#rewind(graph, task)
        task.number++
        if (task.number < 4) continue
      }
      const outcome = result.outcome === 'failed' ? 'error' : result.outcome
      yield { type: 'task.end', ...this.#at(graph, task), outcome }
      if (isRoot) this.#flying.set(task.id, { task, attempt, result })
      return result
    }
  }

  *#attempt(attempt: Attempt): Events<Result> {
    const { made } = attempt
    // Some nodes tell nothing; most others do one thing after another.
    for (let left = this.#tape.chance(25) ? 0 : 1 + this.#tape.pick(8); left > 0; left--) {
      const outcome = yield* this.#act(attempt)
      if (outcome !== undefined) return { outcome, made: outcome === 'failed' ? [] : made }
    }
    while (attempt.open.length > 0) yield this.#end(attempt)
    return { outcome: 'ok', made }
  }

  /** One thing a node does. Answers how the attempt ended, if it did. */
  *#act(attempt: Attempt): Events<'interrupted' | 'failed' | undefined> {
    const { at, graph } = attempt
    const choice = this.#tape.pick(24)
    if (choice < 11) yield attempt.open.length === 0 ? this.#start(attempt) : this.#delta(attempt)
    else if (choice < 13) yield this.#start(attempt)
    else if (choice < 15 && attempt.open.length > 0) yield this.#end(attempt)
    else if (choice === 15) yield this.#put(attempt)
    else if (choice === 16) yield { type: 'custom', ...at, name: 'progress', data: { n: ++this.#counter } }
    else if (choice === 17) yield* this.#tool(at)
    else if (choice === 18) yield this.#odd(at)
    else if (choice < 21 && graph.ns.length < 2 && !attempt.hasCalled) return yield* this.#call(attempt)
    else if (choice === 21) {
      const id = this.#next('i')
      this.#questions.push(id)
      yield { type: 'interrupt', ...at, id, value: 'may I?' }
      return 'interrupted'
    } else if (choice >= 22) return 'failed'
    return undefined
  }

  #start(attempt: Attempt): RunEvent {
    const tape = this.#tape
    const known = this.#knownIds(attempt)
    const isNew = known.length === 0 || !tape.chance(30)
    const id = isNew ? this.#next('m') : tape.of(known)
    this.#open.set(id, attempt)
    onUndo(attempt, () => this.#open.get(id) === attempt && this.#open.delete(id))
    attempt.open.push({ id, lengths: [] })
    this.#made(attempt, id)
    return {
      type: 'message.start',
      ...attempt.at,
      id: this.#nameOf(id, attempt),
      role: 'assistant',
      ...(tape.chance(20) && { meta: { tags: ['title'] } }),
    }
  }

  #delta({ open, at }: Attempt): RunEvent {
    const tape = this.#tape
    const { id, lengths } = tape.of(open)
    const isNew = lengths.length === 0 || tape.chance(25)
    const part = isNew ? lengths.length : tape.pick(lengths.length)
    const text = tape.of(TEXTS)
    const begin = lengths[part] ?? 0
    lengths[part] = begin + text.length
    const delta = { type: 'message.delta', ...at, id, part, at: begin, text } as const
    if (!isNew) return delta
    const kind = tape.of(['text', 'reasoning', 'tool'] as const)
    if (kind === 'text') return delta
    return { ...delta, kind, ...(kind === 'tool' && { callId: this.#next('k'), name: 'search' }) }
  }

  #end(attempt: Attempt): RunEvent {
    const tape = this.#tape
    const message = tape.of(attempt.open)
    const { id, lengths } = message
    attempt.open.splice(attempt.open.indexOf(message), 1)
    this.#open.delete(id)
    const providerId = tape.chance(25) ? this.#next('p') : undefined
    if (providerId !== undefined && attempt.made.includes(id) && !this.#names.has(id)) {
      this.#names.set(id, { name: providerId, by: attempt })
      onUndo(attempt, () => this.#names.delete(id))
    }
    return {
      type: 'message.end',
      ...attempt.at,
      id,
      lengths,
      ...(providerId !== undefined && { providerId }),
      ...(tape.chance(15) && { parts: [{ kind: 'data', name: 'chart', value: [1, 2] }] }),
      ...(tape.chance(15) && { usage: { outputTokens: 3 }, finishReason: 'stop' }),
      ...(tape.chance(15) && { metadata: { fingerprint: 'f' } }),
    }
  }

  #put(attempt: Attempt): RunEvent {
    const tape = this.#tape
    const known = this.#knownIds(attempt)
    const id = known.length > 0 && tape.chance(50) ? tape.of(known) : this.#next('m')
    this.#made(attempt, id)
    const others = [...attempt.graph.ids, ...attempt.graph.loose]
    return {
      type: 'message',
      ...attempt.at,
      message: { id: this.#nameOf(id, attempt), role: 'tool', content: tape.of(TEXTS), toolCallId: 'k0' },
      ...(others.length > 0 && tape.chance(20) && { after: tape.of(others) }),
    }
  }

  *#tool(at: Envelope): Events<void> {
    const id = this.#next('k')
    if (!this.#tape.chance(20)) yield { type: 'tool.start', ...at, id, name: 'search', input: { q: 'x' } }
    if (this.#tape.chance(50)) {
      yield { type: 'custom', ...at, name: 'progress', toolCallId: id, data: { n: ++this.#counter } }
    }
    if (!this.#tape.chance(30)) {
      const failed = this.#tape.chance(30)
      const error = { code: 'NODE_FAILED', message: 'no' } as const
      yield { type: 'tool.end', ...at, id, name: 'search', ...(failed ? { error } : { output: 'found' }) }
    }
  }

  #odd(at: Envelope): RunEvent {
    const strange: RunEvent[] = [
      { type: 'error', ...at, error: { code: 'UNSERIALIZABLE', message: 'left out' } },
      { type: 'updates', ...at, update: { x: 1 } },
      // A type of a later version: no member of the union, and the fold must bear it.
      { type: 'future', ...at, id: 'm1' } as unknown as RunEvent,
    ]
    return this.#tape.of(strange)
  }

  /** A task calls a graph of its own, in a namespace below. */
  *#call(attempt: Attempt): Events<'interrupted' | 'failed' | undefined> {
    attempt.hasCalled = true
    const { graph, task, made } = attempt
    const ns = [...graph.ns, taskSegment(task.node, task.id)]
    const own = this.#hasLists && this.#tape.chance(50) ? graph.ids.filter((id) => !this.#open.has(id)) : []
    const child: Graph = { ns, caller: attempt, ids: own, loose: [], step: 0, lag: [] }
    yield this.#full(child)
    const end = yield* this.#steps(child)
    if (end === 'error') return 'failed'
    for (const id of child.ids) if (!graph.ids.includes(id) && !made.includes(id)) made.push(id)
    return end === 'interrupted' ? end : undefined
  }

  /** What this attempt may stream again or replace: what is shown, is nobody else's, and does not stream. */
  #knownIds(attempt: Attempt): string[] {
    const { graph, made } = attempt
    const above = graph === this.#root ? [] : [...this.#root.ids, ...this.#root.loose]
    const shown = new Set([...above, ...graph.ids, ...graph.loose, ...made])
    return [...shown].filter((id) => {
      const claim = this.#claims.get(claimOf(graph, id))
      return !this.#open.has(id) && (claim === undefined || claim === attempt)
    })
  }

  #made(attempt: Attempt, id: string): void {
    const { graph, made } = attempt
    if (graph.ids.includes(id) || made.includes(id)) return
    made.push(id)
    if (graph.loose.includes(id)) return
    this.#claims.set(claimOf(graph, id), attempt)
    onUndo(attempt, () => this.#claims.delete(claimOf(graph, id)))
  }

  /** The step is over: some of what it made is taken into the list, by the id that we or the provider gave. */
  *#commit(graph: Graph, made: readonly string[]): Events<void> {
    const tape = this.#tape
    const fresh = [...new Set(made)].filter((id) => !graph.ids.includes(id))
    const taken = this.#hasLists ? fresh.filter(() => !tape.chance(30)) : []
    graph.loose = [...new Set([...graph.loose, ...fresh])].filter((id) => !taken.includes(id))
    const before = this.#changes(graph)
    graph.ids = [...graph.ids, ...taken]
    if (graph === this.#root) for (const known of this.#names.values()) known.by = undefined
    const reordered = tape.chance(15)
    if (reordered) graph.ids = graph.ids.toReversed()
    const names = (reordered || before.length > 0 ? graph.ids : taken).map((id) => this.#nameOf(id))
    const change = reordered || before.length > 0 ? { ids: names } : { append: names }
    // A list that did not change need not be told.
    const hasChanged = names.length > 0 || tape.chance(30)
    const values: RunEvent = {
      type: 'values',
      ...this.#at(graph),
      ...(tape.chance(10) ? { unset: ['topic'] } : { set: { count: ++this.#counter } }),
      ...(this.#hasLists && hasChanged && { lists: { messages: change } }),
    }
    yield* before
    if (before.length === 0 && tape.chance(30)) graph.lag.push(values)
    else yield values
    if (graph === this.#root && before.length === 0 && graph.lag.length === 0) {
      this.#history.push({ ids: graph.ids, told: this.#told.length })
    }
  }

  /** What a commit removed from the list or made different in it, told before its `values`. */
  #changes(graph: Graph): RunEvent[] {
    const tape = this.#tape
    const idle = graph.ids.filter((id) => !this.#open.has(id))
    if (idle.length === 0 || !tape.chance(35)) return []
    const id = tape.of(idle)
    if (tape.chance(50)) return [{ type: 'message', ...this.#at(graph), message: { id, role: 'user', content: 'new' } }]
    graph.ids = graph.ids.filter((other) => other !== id)
    return [{ type: 'message.remove', ...this.#at(graph), id: this.#nameOf(id) }]
  }

  #full(graph: Graph): RunEvent {
    const ids = graph.ids.map((id) => this.#nameOf(id))
    const lists = this.#hasLists ? { lists: { messages: { ids } } } : {}
    return { type: 'values', ...this.#at(graph), full: true, set: { topic: 'x' }, ...lists }
  }

  #halfway(graph: Graph, made: readonly string[]): RunEvent {
    const append = [...new Set(made)].filter((id) => !graph.ids.includes(id))
    return { type: 'values', ...this.#at(graph), set: { half: ++this.#counter }, lists: { messages: { append } } }
  }

  #rewind(graph: Graph, task: Task): RunEvent {
    return { type: 'rewind', ...this.#at(graph, task), attempt: task.number }
  }

  #fork(): RunEvent {
    const { ids, told } = this.#tape.of(this.#history)
    return this.#goTo(ids, told, 'fork')
  }

  #goTo(ids: readonly string[], told: number, reason: 'fork' | 'recovery'): RunEvent {
    const page = interpret(this.#told.slice(0, told))
    const messages = ids.flatMap((id) => {
      const { status: _status, ...message } = page.message(id) ?? { id: '' }
      return 'role' in message ? [message] : []
    })
    this.#root.ids = [...ids]
    this.#root.loose = []
    const state = { values: { gone: 'back' }, lists: { messages: [...ids] }, messages }
    return { type: 'rewind', ...this.#at(this.#root), to: 'c0', reason, state }
  }

  /** A run that has ended may still be heard: what comes then is late. */
  #lateEvent(): RunEvent {
    const run = this.#tape.chance(70) ? this.#run : 'r1'
    const late: RunEvent[] = [
      { type: 'message', run, message: { id: this.#next('m'), role: 'assistant', content: 'late' } },
      { type: 'message.delta', run, id: 'm1', part: 0, at: 0, text: 'late' },
      { type: 'custom', run, name: 'progress', data: 'late' },
      { type: 'run.end', run, status: 'error' },
      { type: 'values', run, full: true, set: { late: true } },
      { type: 'run.start', run, protocol: PROTOCOL_VERSION },
    ]
    return this.#tape.of(late)
  }

  /** The id of a message, or the provider's. */
  #nameOf(id: string, attempt?: Attempt): string {
    const known = this.#names.get(id)
    const isFree = known !== undefined && (known.by === undefined || known.by === attempt)
    return isFree && this.#tape.chance(40) ? known.name : id
  }

  #at(graph: Graph): Envelope
  #at(graph: Graph, task: Task): Envelope & { node: string; task: string }
  #at(graph: Graph, task?: Task): Envelope {
    return {
      run: this.#run,
      ...(graph.ns.length > 0 && { ns: graph.ns }),
      step: graph.step,
      ...(task && { node: task.node, task: task.id }),
      ...(task && task.number > 1 && { attempt: task.number }),
    }
  }
}

function claimOf({ ns }: Graph, id: string): string {
  return `${ns.join('|')} ${id}`
}

/** Notes what takes a thing back when this attempt is withdrawn, or one that holds it. */
function onUndo(attempt: Attempt, undo: () => unknown): void {
  for (let each: Attempt | undefined = attempt; each !== undefined; each = each.graph.caller) each.undo.push(undo)
}

function undoAll({ undo }: Attempt): void {
  for (const each of undo.splice(0).toReversed()) each()
}
