import type { ErrorCode } from '@rivulet/protocol'

/** What a failure means to the person at the page, in a sentence or two. */
export function failureWords({ code, message }: { code: ErrorCode; message: string }): string {
  const known = words.get(code)
  if (known !== undefined) return known
  return message === '' ? 'Something went wrong.' : message
}

/** Failures whose own sentence is written for developers. The others speak for themselves. */
const words: ReadonlyMap<ErrorCode, string> = new Map([
  ['DISCONNECTED', 'The connection to the server is lost.'],
  ['RUN_CONFLICT', 'This chat is still busy with another answer, perhaps in another window.'],
  ['NOT_FOUND', 'This chat no longer exists: it was deleted, or the server began anew.'],
  ['LIMIT_EXCEEDED', 'That is more than the server takes at once.'],
  ['PROTOCOL_MISMATCH', 'The server answered with something this page does not understand.'],
  ['RECURSION_LIMIT', 'The agent went round in circles and was stopped.'],
  ['INTERNAL', 'Something went wrong on the server.'],
])
