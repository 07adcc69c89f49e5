/** Tells what the fold may rely on from what it must not touch. Checks fields, not payloads. */
export type Check = (value: unknown) => boolean

/**
 * What something must be like: what a check says; a list of such things; an object with these fields, and any others. A
 * field whose name ends in `?` may be missing.
 */
export type Shape = Check | readonly [Shape] | { readonly [field: string]: Shape }

/** The check of this shape. */
export function shaped(shape: Shape): Check {
  if (typeof shape === 'function') return shape
  if (isList(shape)) {
    const each = shaped(shape[0])
    return (value) => Array.isArray(value) && value.every(each)
  }
  const fields = Object.entries(shape).map(([field, inner]) => {
    const check = shaped(inner)
    if (!field.endsWith('?')) return [field, check] as const
    return [field.slice(0, -1), (value: unknown) => value === undefined || check(value)] as const
  })
  return (value) => isRecord(value) && fields.every(([field, check]) => check(value[field]))
}

function isList(shape: readonly [Shape] | object): shape is readonly [Shape] {
  return Array.isArray(shape)
}

/** An object all of whose values have this shape. */
export function record(shape: Shape): Check {
  const check = shaped(shape)
  return (value) => isRecord(value) && Object.values(value).every(check)
}

/** An object that is no list. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Text. */
export const isText: Check = (value) => typeof value === 'string'
/** A whole number from 0. */
export const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
/** A namespace. */
export const NAMESPACE: Shape = [(value) => typeof value === 'string' && value !== '' && !value.includes('|')]
/** What is known of a message beside what it says. */
export const META: Shape = { 'tags?': [isText], 'namespace?': NAMESPACE, 'providerId?': isText }
/** What is told apart by its id. */
export const IDENTIFIED: Shape = { id: isText }
/** A message. */
export const MESSAGE: Shape = {
  id: isText,
  content: isText,
  'parts?': [isRecord],
  'toolCalls?': [{ id: isText, name: isText, args: isText }],
  'meta?': META,
}
/** What a task says of itself. */
export const TASK: Shape = { task: isText, node: isText }
/** How message lists changed. */
export const LISTS: Check = record(
  (change) => isRecord(change) && shaped([isText])('append' in change ? change['append'] : change['ids']),
)

/** What every event says of itself. */
export const isEnvelope: Check = shaped({
  run: isText,
  'ns?': NAMESPACE,
  'node?': isText,
  'step?': Number.isFinite,
  'task?': isText,
  'attempt?': isCount,
})

/** An object with a place in the thread. */
export const isPlaced: Check = shaped({ seq: isCount, 'prev?': isCount })
