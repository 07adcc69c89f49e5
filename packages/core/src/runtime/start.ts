import { RivuletError } from '@rivulet/protocol/model'
import type { SavedCheckpoint } from '../checkpoint/checkpointer.ts'
import { seenValues } from '../checkpoint/seen.ts'
import { type AnyCommand, Command, isCommand, Send, START } from '../graph/command.ts'
import type { NodeSpec, Plan, Target } from '../graph/plan.ts'
import { own } from '../state/own.ts'
import {
  initialValues,
  ownUpdate,
  validateInput,
  visible,
  type StateSchema,
  type Update,
  type Values,
} from '../state/schema.ts'
import type { GraphRun } from './graph-run.ts'
import type { Task } from './host.ts'
import { randomId, stableId } from './ids.ts'
import { savedOf, untilStopped } from './run-scope.ts'
import { freshStanding, standingOf, type Standing } from './standing.ts'
import { NOTHING, type NextStep } from './step.ts'
import { routesFrom } from './task.ts'

/** What a checkpoint of source `input` says runs next: its input has not been applied yet. */
const AT_ENTRY: NextStep = { ...NOTHING, nodes: [{ name: START, triggers: [] }] }

const ENTRY: NodeSpec = {
  name: START,
  run: () => undefined,
  onError: undefined,
  retry: undefined,
  timeout: undefined,
  defer: false,
  metadata: undefined,
  tags: [],
  graph: undefined,
  calls: [],
}

/** How a run begins: anew with an input, or from where the thread stands. */
export type Beginning =
  | { readonly kind: 'input'; readonly input: unknown }
  | { readonly kind: 'continue' }
  | {
      readonly kind: 'answer'
      readonly answers: ReadonlyMap<string, unknown>
      readonly command: AnyCommand
    }
  | { readonly kind: 'command'; readonly command: AnyCommand }

/**
 * What a caller passed, as it is now: what the caller does to it later reaches no run. Never throws: what cannot be taken
 * comes back as it is, and the run fails on it.
 */
export function takeInput(input: unknown): unknown {
  try {
    if (!isCommand(input)) return own(input)
    const { update, goto, resume, graph } = input
    return new Command({
      update: own(update),
      goto: goto.map((to) => (to instanceof Send ? new Send(to.node, own(to.input)) : to)),
      resume: own(resume),
      ...(graph !== undefined && { graph }),
    })
  } catch {
    return input
  }
}

/** Reads what a caller passed. Throws `INVALID_INPUT` when there is nothing to go on from or nothing to answer. */
export function beginningOf(input: unknown, saved: SavedCheckpoint | undefined): Beginning {
  if (isCommand(input)) {
    if (input.resume !== undefined) return { kind: 'answer', answers: answersTo(saved, input.resume), command: input }
    return { kind: 'command', command: input }
  }
  if (input !== null && input !== undefined) return { kind: 'input', input }
  if (saved === undefined) throw new RivuletError('INVALID_INPUT', 'there is no input, and no checkpoint to go on from')
  return { kind: 'continue' }
}

function answersTo(saved: SavedCheckpoint | undefined, resume: unknown): ReadonlyMap<string, unknown> {
  const ids = pendingIds(saved)
  if (ids.length === 0) throw new RivuletError('INVALID_INPUT', 'there is no interrupt to answer on this thread')
  const byId = typeof resume === 'object' && resume !== null && !Array.isArray(resume) ? Object.keys(resume) : []
  if (byId.length > 0 && byId.every((id) => ids.includes(id))) return new Map(Object.entries(resume as object))
  if (ids.length === 1) return new Map([[ids[0]!, resume]])
  throw new RivuletError(
    'INVALID_INPUT',
    `${ids.length} interrupts wait (${ids.join(', ')}): answer by id, as in resume: { "${ids[0]}": … }`,
  )
}

/** Ids of the interrupts that wait at a checkpoint. */
export function pendingIds(saved: SavedCheckpoint | undefined): readonly string[] {
  return saved?.tasks.flatMap((task) => (task.interrupts ?? []).map(({ id }) => id)) ?? []
}

/**
 * Puts the root graph where the run begins and tells readers what the state is there. `isBranch`: the thread has gone on
 * from there before.
 */
export async function begin(
  graph: GraphRun,
  beginning: Beginning,
  saved: SavedCheckpoint | undefined,
  isBranch: boolean,
): Promise<void> {
  switch (beginning.kind) {
    case 'input':
      return enterWith(graph, beginning.input, saved)
    case 'continue':
      return goOn(graph, saved!, { isBranch })
    case 'answer': {
      for (const [id, answer] of beginning.answers) {
        graph.scope.checkSavable({ answer }, { who: 'the caller', what: `the answer to interrupt ${id}` })
        graph.scope.answers.set(id, answer)
      }
      return goOn(graph, saved!, { isBranch, also: beginning.command })
    }
    case 'command':
      return command(graph, beginning.command, saved)
  }
}

/** How a run goes on from a checkpoint. */
interface GoingOn {
  /** It begins a branch: with a checkpoint of its own, so that what comes after stands apart from what had come. */
  readonly isBranch?: boolean
  /** An update that comes with an answer. */
  readonly also?: AnyCommand
}

async function goOn(graph: GraphRun, saved: SavedCheckpoint, { isBranch = false, also }: GoingOn = {}): Promise<void> {
  graph.standAt(standingOf(saved))
  for (const [id, answer] of graph.scope.answers) graph.answers.set(id, answer)
  if (also?.update !== undefined) applyUpdate(graph, also.update, 'the command')
  if (saved.next.nodes[0]?.name === START) return apply(graph, saved.input ?? {})
  // The task starts again: what the graph below it had told in the run before was withdrawn.
  if (graph.ns.length > 0) graph.announcer.history(graph.values)
  graph.announcer.values(graph.values, graph.preview())
  if (!isBranch) return graph.announcer.checkpoint({ ...saved, values: graph.values })
  graph.keepTasks()
  graph.step++
  graph.save('fork', saved.values)
}

/**
 * Begins a subgraph's run: where it stopped when its task asked before, else anew with `input`, of which what the schema
 * `checkedBy` has checked is not checked again.
 */
export async function beginBelow(
  graph: GraphRun,
  input: unknown,
  resumed: boolean,
  checkedBy: StateSchema | undefined,
): Promise<void> {
  const saved = resumed ? await savedOf(graph) : undefined
  if (saved !== undefined) await goOn(graph, saved)
  else await enterWith(graph, input, undefined, checkedBy)
}

async function enterWith(
  graph: GraphRun,
  input: unknown,
  saved: SavedCheckpoint | undefined,
  checkedBy?: StateSchema,
): Promise<void> {
  const { schema, inputKeys } = graph.plan
  const checking = validateInput(schema, input, { known: saved?.values, allowed: inputKeys, checkedBy })
  const checked = await untilStopped(graph, checking)
  const update = takenUpdate(graph, checked, 'the input')
  if (saved === undefined) graph.standAt(beforeAnything(graph))
  else graph.standAt({ ...freshStanding(saved.values), step: saved.step + 1, checkpoint: saved.id })
  graph.save('input', saved?.values, { next: AT_ENTRY, input: update })
  return apply(graph, update, saved && leftBehind(graph, saved))
}

/**
 * Throws `INVALID_INPUT` when a run could not take this input. A schema for the whole state sees an input over what the
 * thread holds, which `heldBy` answers; without it that schema is left to the run.
 */
export async function checkInput(
  { schema, inputKeys }: Plan,
  input: unknown,
  heldBy: (() => Promise<Values | undefined>) | undefined,
): Promise<void> {
  if (input === null || input === undefined || isCommand(input)) return
  const leftToRun = schema.whole !== undefined && heldBy === undefined
  const facts = leftToRun ? { checkedBy: schema } : { known: await heldBy?.() }
  const checked = await validateInput(schema, input, { allowed: inputKeys, ...facts })
  ownUpdate(schema, checked, 'the input', randomId)
}

/** The task that a node would be, for asking what follows it; also for the entry. */
export function taskAs(graph: GraphRun, node: string): Task {
  const spec = graph.plan.nodes.get(node) ?? ENTRY
  return { id: node, spec, input: graph.values, triggers: [], sent: false }
}

/** What readers saw of a step that is given up half way; `undefined` when that is the state. */
function leftBehind({ plan, values }: GraphRun, saved: SavedCheckpoint): Values | undefined {
  const seen = seenValues(plan.schema, saved)
  return seen === values ? undefined : seen
}

/** Takes an input in; `seen` is what readers have if that is not the state before it. */
async function apply(graph: GraphRun, update: Update, seen?: Values): Promise<void> {
  const targets = await routesFrom(graph, taskAs(graph, START), [update])
  const before = graph.enter(update, targets)
  if (seen !== undefined || Object.keys(visible(graph.plan.schema, update)).length > 0)
    graph.announcer.values(seen ?? before, graph.values)
  graph.save('loop', before)
}

async function command(graph: GraphRun, given: AnyCommand, saved: SavedCheckpoint | undefined): Promise<void> {
  if (saved === undefined) graph.standAt(beforeAnything(graph))
  else if (given.goto.length > 0) graph.standAt({ ...standingOf(saved), tasks: [] })
  else {
    graph.standAt(standingOf(saved))
    graph.keepTasks()
  }
  const before = graph.values
  const seen = saved && given.goto.length > 0 ? leftBehind(graph, saved) : undefined
  if (given.update !== undefined) applyUpdate(graph, given.update, 'the command')
  if (given.goto.length > 0) graph.jump(targetsOf(graph, given.goto))
  graph.announcer.values(seen ?? before, graph.values)
  graph.step++
  graph.save('input', saved === undefined ? undefined : before)
}

function targetsOf(graph: GraphRun, targets: readonly Target[]): readonly Target[] {
  const { nodes } = graph.plan
  const wrong = targets.find((to) => (to instanceof Send ? !nodes.has(to.node) : !graph.isTarget(to)))
  if (wrong === undefined) {
    for (const to of targets) {
      if (to instanceof Send)
        graph.scope.checkSavable({ input: to.input }, { who: 'the command', what: `its send to "${to.node}"` })
    }
    return targets
  }
  const name = JSON.stringify(wrong instanceof Send ? wrong.node : wrong)
  throw new RivuletError(
    'INVALID_INPUT',
    `the command leads to ${name}, which is no node; there are: ${[...nodes.keys()].join(', ')}`,
  )
}

function applyUpdate(graph: GraphRun, update: unknown, writer: string): void {
  if (typeof update !== 'object' || update === null) {
    throw new RivuletError('INVALID_INPUT', `the update of ${writer} is no object with state keys`)
  }
  graph.write(takenUpdate(graph, update, writer), writer)
}

function takenUpdate(graph: GraphRun, update: object, writer: string): Update {
  const taken = ownUpdate(graph.plan.schema, update, writer, inputIds(graph))
  graph.scope.checkSavable(taken, { who: writer })
  return taken
}

function beforeAnything({ plan, scope }: GraphRun): Standing {
  const values = initialValues(plan.schema)
  scope.checkSavable(values, { who: 'the initial state' })
  return freshStanding(values)
}

/** Ids for messages that a caller passes without one: the same for the same run. */
function inputIds(graph: GraphRun): () => string {
  const base = stableId(`${graph.scope.run}/${graph.ns.join('|')}/input`)
  let count = 0
  return () => `${base}.${count++}`
}
