import { RivuletError } from '../errors.ts'
import { isFields, type Fields } from '../messages/content.ts'
import { parseJson } from '../sse/parse-json.ts'

export { isFields, type Fields }

/** The text, if it is one. */
export function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

/** The object that a text says; `undefined` when it says none. Throws `LIMIT_EXCEEDED` when it is nested too deep. */
export function fieldsIn(text: string): Fields | undefined {
  try {
    const value = parseJson(text, 'foreign')
    return isFields(value) ? value : undefined
  } catch (error) {
    if (error instanceof RivuletError && error.code === 'LIMIT_EXCEEDED') throw error
    return undefined
  }
}

/** The objects of a list; none when it is no list. */
export function fieldsOf(value: unknown): Fields[] {
  return Array.isArray(value) ? value.filter(isFields) : []
}
