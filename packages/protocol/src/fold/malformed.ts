import type { SerializedState } from './snapshot.ts'

/** Tells what the fold may rely on from what it must not touch. Checks fields, not payloads. */
export type Check = (value: unknown) => boolean

/** Text. */
export const isText: Check = (value) => typeof value === 'string'
/** A whole number from 0. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isSegment: Check = (value) => typeof value === 'string' && value !== '' && !value.includes('|')
/** An object that is no list. */
export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** Nothing, or what passes. */
export function optional(check: Check): Check {
  return (value) => value === undefined || check(value)
}

/** A list of what passes. */
export function list(check: Check): Check {
  return (value) => Array.isArray(value) && value.every(check)
}

/** An object all of whose values pass. */
export function record(check: Check): Check {
  return (value) => isRecord(value) && Object.values(value).every(check)
}

/** An object with these fields, and any others. */
export function object(fields: Readonly<Record<string, Check>>): Check {
  const checks = Object.entries(fields)
  return (value) => isRecord(value) && checks.every(([field, check]) => check(value[field]))
}

/** A list of texts. */
export const isTexts: Check = list(isText)
const isNamespace = list(isSegment)
/** What is told apart by its id. */
export const hasId: Check = object({ id: isText })
/** What is known of a message beside what it says. */
export const isMeta: Check = object({
  tags: optional(isTexts),
  namespace: optional(isNamespace),
  providerId: optional(isText),
})
/** A message. */
export const isMessage: Check = object({
  id: isText,
  content: isText,
  parts: optional(list(isRecord)),
  toolCalls: optional(list(object({ id: isText, name: isText, args: isText }))),
  meta: optional(isMeta),
})
/** What a task says of itself. */
export const isTask: Check = object({ task: isText, node: isText })
/** Which attempt is withdrawn. */
export const isRewindTask: Check = object({ task: isText, node: isText, attempt: isCount })
/** Which state is gone back to. */
export const isRewindTo: Check = object({
  state: object({ values: isRecord, lists: record(isTexts), messages: list(isMessage) }),
})
/** How a message list changed. */
export const isListChange: Check = (change) =>
  isRecord(change) && isTexts('append' in change ? change['append'] : change['ids'])

/** What every event says of itself. */
export const isEnvelope: Check = object({
  run: isText,
  ns: optional(isNamespace),
  node: optional(isText),
  step: optional(Number.isFinite),
  task: optional(isText),
  attempt: optional(isCount),
})

/** An object with a place in the thread. */
export function isPlaced(event: { seq: unknown; prev?: unknown }): boolean {
  return isRecord(event) && isCount(event['seq']) && (event['prev'] === undefined || isCount(event['prev']))
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
