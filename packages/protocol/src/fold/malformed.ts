import type { SerializedState } from './snapshot.ts'

/** Tells what the fold may rely on from what it must not touch. Checks fields, not payloads. */
export type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isSegment: Check = (value) => typeof value === 'string' && value !== '' && !value.includes('|')
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function optional(check: Check): Check {
  return (value) => value === undefined || check(value)
}

function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check)
}

function record(check: Check): Check {
  return (value) => isRecord(value) && Object.values(value).every(check)
}

/** An object with these fields, and any others. */
function object(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields)
  return (value) => isRecord(value) && checks.every(([field, check]) => check(value[field]))
}

const isTexts = list(isText)
const isNamespace = list(isSegment)
const hasId = object({ id: isText })
const isMeta = object({ tags: optional(isTexts), namespace: optional(isNamespace), providerId: optional(isText) })
const isMessage = object({
  id: isText,
  content: isText,
  parts: optional(list(isRecord)),
  toolCalls: optional(list(object({ id: isText, name: isText, args: isText }))),
  meta: optional(isMeta),
})
const isTask = object({ task: isText, node: isText })
const isRewindTask = object({ task: isText, node: isText, attempt: isCount })
const isRewindTo = object({ state: object({ values: isRecord, lists: record(isTexts), messages: list(isMessage) }) })
const isListChange: Check = (change) =>
  isRecord(change) && isTexts('append' in change ? change['append'] : change['ids'])

const isEnvelope = object({
  run: isText,
  ns: optional(isNamespace),
  node: optional(isText),
  step: optional(Number.isFinite),
  task: optional(isText),
  attempt: optional(isCount),
})

const bodies: ReadonlyMap<unknown, Check> = new Map<unknown, Check>([
  ['message.delta', object({ id: isText, part: isCount, at: isCount, text: isText })],
  ['message.start', object({ id: isText, meta: optional(isMeta) })],
  [
    'message.end',
    object({
      id: isText,
      lengths: list(isCount),
      providerId: optional(isText),
      metadata: optional(isRecord),
      parts: optional(list(isRecord)),
    }),
  ],
  ['message', object({ message: isMessage })],
  ['message.remove', hasId],
  ['interrupt', hasId],
  ['tool.start', hasId],
  ['tool.end', hasId],
  ['checkpoint', hasId],
  ['task.start', isTask],
  ['task.end', isTask],
  ['run.start', object({ resume: optional(isTexts) })],
  ['error', object({ error: isRecord })],
  [
    'values',
    object({
      set: optional(isRecord),
      unset: optional(isTexts),
      lists: optional(record(isListChange)),
      shared: optional(isTexts),
    }),
  ],
  ['rewind', (event) => isRecord(event) && ('to' in event ? isRewindTo : isRewindTask)(event)],
])

/** An object with a place in the thread. */
export function isPlaced(event: { seq: unknown; prev?: unknown }): boolean {
  return isRecord(event) && isCount(event['seq']) && (event['prev'] === undefined || isCount(event['prev']))
}

/** An event whose fields are as its type says; of an unknown type: whose envelope is. */
export function isWellFormed(event: { type: unknown }): boolean {
  return isEnvelope(event) && (bodies.get(event.type)?.(event) ?? true)
}

const isOrigin = object({ run: isText, ns: isNamespace })
const hasOrigin = object({ origin: isOrigin })
const isEntry = object({
  message: isMessage,
  origin: optional(isOrigin),
  base: optional((base) => isEntry(base)),
})

const isSnapshot: Check = object({
  runs: list(hasId),
  spaces: list(
    object({
      ns: isNamespace,
      values: isRecord,
      lists: record(isTexts),
      pending: isTexts,
      touched: isTexts,
      awaited: isTexts,
      shared: optional(isTexts),
      showing: optional(isTexts),
    }),
  ),
  settled: list(isEntry),
  live: list(object({ id: isText, parts: list(object({ text: isText })), meta: isMeta, origin: isOrigin })),
  aliases: list(isTexts),
  tools: list(hasOrigin),
  tasks: list(hasOrigin),
  custom: list((pair) => Array.isArray(pair) && isText(pair[0]) && hasOrigin(pair[1])),
  recent: list(hasOrigin),
  interrupts: list(hasOrigin),
  errors: list(isRecord),
  ignored: isCount,
})

/** Whether a value has the shape of a serialised state, as a snapshot carries it. */
export function isWellFormedState(state: unknown): state is SerializedState {
  return isSnapshot(state)
}
