import { RivuletError } from '@rivulet/protocol/model'
import { isPlain, isSavable } from '../state/own.ts'

/** Whose value it is, for the error: `who` as a sentence's subject, and the node where it is one. */
export interface Origin {
  readonly who: string
  readonly node?: string | undefined
}

/**
 * Throws `UNSERIALIZABLE` when a checkpoint could not keep one of these values, saying who wrote which state key and what
 * in it is no JSON. Costs next to nothing where all is well: whether a value is plain was noted when it was taken in.
 */
export function assertSavable(values: Readonly<Record<string, unknown>>, origin: Origin): void {
  for (const key of Object.keys(values)) {
    if (!isSavable(values[key])) throw unsavable(values[key], `the state key "${key}"`, key, origin)
  }
}

/** As {@link assertSavable}, for one value that is no state key; `what` says what it is. */
export function assertSavableValue(value: unknown, what: string, origin: Origin): void {
  if (!isSavable(value)) throw unsavable(value, what, 'it', origin)
}

function unsavable(value: unknown, what: string, path: string, { who, node }: Origin): RivuletError {
  const how = `${who} wrote to ${what} what a checkpoint cannot keep: ${culprit(value, path)}`
  const advice = 'State is JSON; what is not belongs into the context of the call'
  return new RivuletError('UNSERIALIZABLE', `${how}. ${advice}`, node === undefined ? {} : { node })
}

/** Says which part of a value is no JSON, and what it is instead. */
function culprit(value: unknown, path: string): string {
  if (typeof value !== 'object' || value === null)
    return `${path} is ${typeof value === 'number' ? String(value) : `a ${typeof value}`}`
  if (!Array.isArray(value) && !isPlain(value))
    return `${path} is an instance of ${value.constructor.name || 'a class'}`
  const [key, inner] = Object.entries(value).find(([, member]) => !isSavable(member)) ?? ['', undefined]
  return culprit(inner, `${path}.${key}`)
}
