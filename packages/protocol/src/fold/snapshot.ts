import type { WireError } from '../errors.ts'
import { originInMeta, sameOrigin } from './entries.ts'
import { isTold, tell } from './kinds.ts'
import { refold } from './past.ts'
import { IDENTIFIED, isCount, isRecord, isText, MESSAGE, NAMESPACE, record, shaped, type Check } from './shapes.ts'
import { toldSince } from './since.ts'
import { spaceKey } from './spaces.ts'
import {
  emptyState,
  type CustomEntry,
  type Entry,
  type Held,
  type OpenPart,
  type Origin,
  type PendingInterrupt,
  type Run,
  type Space,
  type TaskRun,
  type ThreadState,
  type Told,
  type ToolRun,
} from './state.ts'

/**
 * A {@link ThreadState} as JSON: maps as lists, what repeats said once. Messages and lists are told as the base they
 * stand on and what was told since; what there is one of, such as texts and values, as it is. `sync: snapshot` carries it.
 */
export interface SerializedState {
  base: {
    runs: readonly Run[]
    spaces: readonly Omit<Space, 'values'>[]
    settled: readonly SerializedEntry[]
    aliases: readonly (readonly [string, string])[]
  }
  since: readonly Told[]
  /** Parts of the messages that stream, by id. */
  live: readonly (readonly [string, readonly OpenPart[]])[]
  /** By wire form of the namespace, where there are any. */
  values: readonly (readonly [string, Space['values']])[]
  runs: readonly Run[]
  current?: string
  tools: readonly ToolRun[]
  tasks: readonly TaskRun[]
  custom: readonly (readonly [string, CustomEntry])[]
  recent: readonly CustomEntry[]
  interrupts: readonly PendingInterrupt[]
  errors: readonly WireError[]
  ignored: number
}

/**
 * An entry as JSON; `origin` and `step` only where the message's meta does not say the same, `held` when it is not
 * committed by the root alone.
 */
export interface SerializedEntry {
  message: Entry['message']
  origin?: Origin
  step?: number | null
  held?: readonly Held[]
}

/** The state as JSON, without its log and cursor: those stand on the event that carries it. */
export function serializeState(state: ThreadState): SerializedState {
  const { runs, spaces, settled, aliases } = state.base ?? emptyState()
  const { current, recent, errors, ignored } = state
  return {
    base: {
      runs: [...runs.values()].filter(({ status }) => status === 'running'),
      spaces: [...spaces.values()].map(({ values: _values, ...space }) => space),
      settled: [...settled.values()].map(serializeEntry),
      aliases: [...aliases],
    },
    since: toldSince(state),
    live: [...state.live.values()].map(({ id, parts }) => [id, parts]),
    values: [...state.spaces]
      .filter(([, { values }]) => Object.keys(values).length > 0)
      .map(([key, { values }]) => [key, values] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
    runs: [...state.runs.values()],
    ...(current !== undefined && { current }),
    tools: [...state.tools.values()],
    tasks: [...state.tasks.values()],
    custom: [...state.custom],
    recent,
    interrupts: [...state.interrupts.values()],
    errors,
    ignored,
  }
}

/** The state that {@link serializeState} wrote, with an empty log and cursor 0. */
export function deserializeState({ base, since, live, values, ...json }: SerializedState): ThreadState {
  const { runs, tools, tasks, custom, interrupts, ...rest } = json
  const byId = <T extends { id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]))
  const later = new Set(since.map((told) => 'task' in told && told.task))
  const before: ThreadState = {
    ...emptyState(),
    runs: byId(base.runs),
    spaces: new Map(base.spaces.map((space) => [spaceKey(space.ns), { ...space, values: {} }])),
    settled: new Map(base.settled.map((entry) => [entry.message.id, deserializeEntry(entry)])),
    aliases: new Map(base.aliases),
    // All of them had ended, and nothing more was told of them.
    tasks: byId(tasks.filter(({ id }) => !later.has(id))),
  }
  const lasting = {
    live: new Map(live.map(([id, parts]) => [id, { parts }])),
    spaces: new Map(values.map(([key, one]) => [key, { values: one }])),
  }
  return {
    ...refold(before, since, lasting, tell),
    current: undefined,
    ...rest,
    runs: byId(runs),
    tools: byId(tools),
    tasks: byId(tasks),
    custom: new Map(custom),
    interrupts: byId(interrupts),
  }
}

function serializeEntry({ message, origin, step, held }: Entry): SerializedEntry {
  const isPlain = held.length === 1 && held[0]?.message === undefined && held[0]?.ns.length === 0
  return {
    message,
    ...(!sameOrigin(origin, originInMeta(message)) && { origin }),
    ...(step !== message.meta?.step && { step: step ?? null }),
    ...(!isPlain && { held }),
  }
}

function deserializeEntry({ message, origin, step, held }: SerializedEntry): Entry {
  return {
    message,
    origin: origin ?? originInMeta(message),
    step: step === undefined ? message.meta?.step : (step ?? undefined),
    held: held ?? [{ ns: [] }],
  }
}

const ORIGIN = { run: isText, ns: NAMESPACE }
const EMITTED = { origin: ORIGIN }
const isPair = (value: unknown, check: Check) => Array.isArray(value) && isText(value[0]) && check(value[1])
const isParts = shaped([{ text: isText }])
const isEmitted = shaped(EMITTED)

const isSnapshot = shaped({
  base: {
    runs: [IDENTIFIED],
    spaces: [
      {
        ns: NAMESPACE,
        lists: record([isText]),
        pending: [isText],
        aside: [isText],
        touched: [isText],
        awaited: [isText],
        'shared?': [isText],
        'showing?': [isText],
      },
    ],
    settled: [{ message: MESSAGE, 'origin?': ORIGIN, 'held?': [{ ns: NAMESPACE, 'message?': MESSAGE }] }],
    aliases: [[isText]],
  },
  since: [isTold],
  live: [(pair) => isPair(pair, isParts)],
  values: [(pair) => isPair(pair, isRecord)],
  runs: [IDENTIFIED],
  tools: [EMITTED],
  tasks: [EMITTED],
  custom: [(pair) => isPair(pair, isEmitted)],
  recent: [EMITTED],
  interrupts: [EMITTED],
  errors: [isRecord],
  ignored: isCount,
})

/** Whether a value has the shape of a serialised state, as a snapshot carries it. */
export function isSerialized(state: unknown): state is SerializedState {
  return isSnapshot(state)
}
