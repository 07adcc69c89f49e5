import { isStreamMode, RivuletError, streamModes, type StreamMode } from '@rivulet/protocol'

/** A JSON object of which nothing is known yet. */
export type Fields = Readonly<Record<string, unknown>>

/** The object that a body must be. Throws `INVALID_INPUT`. */
export function asFields(json: unknown, where: string): Fields {
  if (typeof json === 'object' && json !== null && !Array.isArray(json)) return json as Fields
  throw invalid(`${where} must be a JSON object`)
}

/** A text that may be left out; `null` is as good as left out. */
export function optionalText(fields: Fields, name: string): string | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined || typeof value === 'string') return value
  throw invalid(`${name} must be text`)
}

/** A text that must be there. */
export function text(fields: Fields, name: string): string {
  const value = optionalText(fields, name)
  if (value !== undefined && value !== '') return value
  throw invalid(`${name} is missing`)
}

/** An object that may be left out. */
export function optionalFields(fields: Fields, name: string): Fields | undefined {
  const value = fields[name] ?? undefined
  return value === undefined ? undefined : asFields(value, name)
}

/** A list of texts that may be left out. */
export function optionalTexts(fields: Fields, name: string): readonly string[] | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  if (Array.isArray(value) && value.every((item): item is string => typeof item === 'string')) return value
  throw invalid(`${name} must be a list of texts`)
}

/** A whole number from 1 to `max` that may be left out; out of a query it is text. */
export function optionalCount(fields: Fields, name: string, max: number): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count >= 1 && count <= max) return count
  throw invalid(`${name} must be a whole number from 1 to ${max}`)
}

/** Stream modes that may be left out. */
export function optionalModes(fields: Fields, name: string): readonly StreamMode[] | undefined {
  const names = optionalTexts(fields, name)
  const wrong = names?.find((mode) => !isStreamMode(mode))
  if (wrong !== undefined) {
    throw invalid(`${name} may name ${streamModes.join(', ')}, not ${JSON.stringify(wrong)}`)
  }
  return names?.filter(isStreamMode)
}

/** One of `allowed` that may be left out. */
export function optionalChoice<T extends string>(fields: Fields, name: string, allowed: readonly T[]): T | undefined {
  const value = optionalText(fields, name)
  if (value === undefined) return undefined
  const choice = allowed.find((one) => one === value)
  if (choice !== undefined) return choice
  throw invalid(`${name} may be ${allowed.join(', ')}, not ${JSON.stringify(value)}`)
}

/**
 * An id that a client may choose: 1 to 128 letters, digits, `_`, `.` and `-`, and not only dots, which a path would lose.
 * Throws `INVALID_INPUT`.
 */
export function checkId(id: string, name: string): string {
  if (/^[\w.-]{1,128}$/.test(id) && !/^\.+$/.test(id)) return id
  throw invalid(`${name} must be 1 to 128 letters, digits, "_", "." or "-", and not only dots`)
}

/** The error for a request of the wrong shape. */
export function invalid(sentence: string): RivuletError {
  return new RivuletError('INVALID_INPUT', sentence)
}
