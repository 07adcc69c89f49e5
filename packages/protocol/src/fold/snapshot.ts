import type { WireError } from '../errors.ts'
import { sameOrigin } from './entries.ts'
import { spaceKey } from './spaces.ts'
import {
  emptyState,
  type CustomEntry,
  type Entry,
  type OpenEntry,
  type Origin,
  type PendingInterrupt,
  type Run,
  type Space,
  type TaskRun,
  type ThreadState,
  type ToolRun,
} from './state.ts'

/** A {@link ThreadState} as JSON: maps as lists, what repeats said once. `sync: snapshot` carries it. */
export interface SerializedState {
  runs: readonly Run[]
  current?: string
  spaces: readonly Space[]
  settled: readonly SerializedEntry[]
  live: readonly OpenEntry[]
  aliases: readonly (readonly [string, string])[]
  tools: readonly ToolRun[]
  tasks: readonly TaskRun[]
  custom: readonly (readonly [string, CustomEntry])[]
  recent: readonly CustomEntry[]
  interrupts: readonly PendingInterrupt[]
  errors: readonly WireError[]
  ignored: number
}

/**
 * An entry as JSON; `origin` and `step` only where the message's meta does not say the same. `committed` is left out
 * when true, `aside` and `names` when empty, `arrived` when false.
 */
export interface SerializedEntry {
  message: Entry['message']
  origin?: Origin
  step?: number | null
  committed?: boolean
  aside?: readonly string[]
  arrived?: boolean
  names?: readonly string[]
  base?: SerializedEntry
}

/** The state as JSON, without its log and cursor: those stand on the event that carries it. */
export function serializeState(state: ThreadState): SerializedState {
  return {
    runs: [...state.runs.values()],
    ...(state.current !== undefined && { current: state.current }),
    spaces: [...state.spaces.values()],
    settled: [...state.settled.values()].map(serializeEntry),
    live: [...state.live.values()],
    aliases: [...state.aliases],
    tools: [...state.tools.values()],
    tasks: [...state.tasks.values()],
    custom: [...state.custom],
    recent: state.recent,
    interrupts: [...state.interrupts.values()],
    errors: state.errors,
    ignored: state.ignored,
  }
}

/** The state that {@link serializeState} wrote, with an empty log and cursor 0. */
export function deserializeState(json: SerializedState): ThreadState {
  const byId = <T extends { id: string }>(items: readonly T[]) => new Map(items.map((item) => [item.id, item]))
  return {
    ...emptyState(),
    runs: byId(json.runs),
    current: json.current,
    spaces: new Map(json.spaces.map((space) => [spaceKey(space.ns), space])),
    settled: new Map(json.settled.map((entry) => [entry.message.id, deserializeEntry(entry)])),
    live: byId(json.live),
    aliases: new Map(json.aliases),
    tools: byId(json.tools),
    tasks: byId(json.tasks),
    custom: new Map(json.custom),
    recent: json.recent,
    interrupts: byId(json.interrupts),
    errors: json.errors,
    ignored: json.ignored,
  }
}

function serializeEntry(entry: Entry): SerializedEntry {
  const { message, origin, step, base } = entry
  return {
    message,
    ...(!sameOrigin(origin, originInMeta(message)) && { origin }),
    ...(step !== message.meta?.step && { step: step ?? null }),
    ...(!entry.committed && { committed: false }),
    ...(entry.aside.length > 0 && { aside: entry.aside }),
    ...(entry.arrived && { arrived: true }),
    ...(entry.names.length > 0 && { names: entry.names }),
    ...(base && { base: serializeEntry(base) }),
  }
}

function deserializeEntry(json: SerializedEntry): Entry {
  const { message } = json
  return {
    message,
    origin: json.origin ?? originInMeta(message),
    step: json.step === undefined ? message.meta?.step : (json.step ?? undefined),
    committed: json.committed ?? true,
    aside: json.aside ?? [],
    arrived: json.arrived ?? false,
    names: json.names ?? [],
    base: json.base && deserializeEntry(json.base),
  }
}

function originInMeta({ meta }: Entry['message']): Origin {
  return { run: meta?.run ?? '', ns: meta?.namespace ?? [], task: meta?.task, attempt: meta?.attempt ?? 1 }
}
