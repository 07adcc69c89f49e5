import { messageOfThrown, RivuletError } from '../errors.ts'
import type { RunEvent } from '../events/event.ts'

/** A delta's JSON beside its text, roughly. */
const DELTA_FIELDS = 100

/** Length of an event's JSON; of a delta roughly, as there are many. Throws `UNSERIALIZABLE` when it is not JSON. */
export function eventSize(event: RunEvent): number {
  if (event.type === 'message.delta') return DELTA_FIELDS + event.text.length
  try {
    return JSON.stringify(event).length
  } catch (error) {
    const sentence = `a ${event.type} event is not JSON: ${messageOfThrown(error)}`
    throw new RivuletError('UNSERIALIZABLE', sentence, { cause: error })
  }
}
