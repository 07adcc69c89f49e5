import { RivuletError } from '@rivulet/protocol/model'
import { isPlain, isSavable } from '../state/own.ts'

/** Whose values they are, for the error. */
export interface Origin {
  /** Who wrote them, as the subject of a sentence. */
  readonly who: string
  readonly node?: string | undefined
  /** What they are. Default: state, key by key. */
  readonly what?: string
}

/**
 * Throws `UNSERIALIZABLE` when a checkpoint could not keep one of these values, saying who wrote which state key and what
 * in it is no JSON. Costs next to nothing where all is well: whether a value is plain was noted when it was taken in.
 */
export function assertSavable(values: Readonly<Record<string, unknown>>, { who, node, what }: Origin): void {
  for (const key of Object.keys(values)) {
    const value = values[key]
    if (isSavable(value)) continue
    const place = what ?? `the state key "${key}"`
    const how = `${who} wrote to ${place} what a checkpoint cannot keep: ${culprit(value, key)}`
    const advice = 'State is JSON; what is not belongs into the context of the call'
    throw new RivuletError('UNSERIALIZABLE', `${how}. ${advice}`, { node })
  }
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
