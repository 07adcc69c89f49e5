import { RivuletError } from '../errors.ts'

/** Deepest nesting that readers take unless told otherwise: more than `toJson` lets through. */
const MAX_JSON_DEPTH = 1024

/**
 * The value that a wire's text says. Throws `PROTOCOL_MISMATCH` when it is not JSON, and `LIMIT_EXCEEDED` when it is
 * nested deeper than `maxDepth`, so that nothing that walks it later runs out of stack.
 */
export function parseJson(text: string, event: string, maxDepth: number = MAX_JSON_DEPTH): unknown {
  // Each level takes two characters: what is short, as most events are, need not be looked at.
  if (text.length > 2 * maxDepth && isDeeper(text, maxDepth)) {
    throw new RivuletError('LIMIT_EXCEEDED', `a ${event} event is nested deeper than ${maxDepth} levels`)
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw mismatch(`the data of a ${event} event is not JSON`, error)
  }
}

function isDeeper(text: string, maxDepth: number): boolean {
  let depth = 0
  for (let at = 0; at < text.length; at++) {
    switch (text[at]) {
      case '"':
        at = endOfString(text, at)
        break
      case '{':
      case '[':
        if (++depth > maxDepth) return true
        break
      case '}':
      case ']':
        depth--
    }
  }
  return false
}

/** Place of the quote that closes the string opened at `start`; the text's end when none does. */
function endOfString(text: string, start: number): number {
  let at = start + 1
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1
  return at
}

/** What arrived is not the protocol that was expected. */
export function mismatch(sentence: string, cause?: unknown): RivuletError {
  return new RivuletError('PROTOCOL_MISMATCH', `not the expected stream: ${sentence}`, { cause })
}
