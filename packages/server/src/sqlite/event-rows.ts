import type { Row } from '@libsql/client/sqlite3'
import { RivuletError, type StampedEvent } from '@rivulet/protocol'
import type { Write } from './group-commit.ts'
import { isObject, jsonIn } from './columns.ts'

const INSERT = 'INSERT INTO events (memory, last, first, count, data) VALUES'

/** Events of one row, at most, where they are written anew. */
const MAX_EVENTS = 500

/** The insert of a group of events whose texts have no `seq` and that follow each other from `first` on. */
export function insertTexts(memory: string, first: number, texts: readonly string[]): Write {
  const args = [memory, first + texts.length - 1, first, texts.length, `[${texts.join(',')}]`]
  return { sql: INSERT, row: '(?,?,?,?,?)', args }
}

/** The inserts of events that may have holes between them. */
export function insertEvents(memory: string, events: readonly StampedEvent[]): Write[] {
  const writes: Write[] = []
  for (let from = 0; from < events.length; from += MAX_EVENTS) {
    const part = events.slice(from, from + MAX_EVENTS)
    const first = part[0]!.seq
    const texts = part.map(({ seq, ...event }, i) =>
      JSON.stringify(i > 0 && seq !== part[i - 1]!.seq + 1 ? { ...event, seq } : event),
    )
    const args = [memory, part.at(-1)!.seq, first, part.length, `[${texts.join(',')}]`]
    writes.push({ sql: INSERT, row: '(?,?,?,?,?)', args })
  }
  return writes
}

/** The events of a row. */
export function eventsIn(row: Row): StampedEvent[] {
  const list = jsonIn(row, 'data')
  if (!Array.isArray(list) || !list.every(isObject)) {
    throw new RivuletError('INTERNAL', 'the database is damaged: a group of events is none')
  }
  // Only this file writes these rows, from events; the fold looks at the rest.
  const events = list as unknown as (StampedEvent & { seq?: number })[]
  let seq = Number(row['first']) - 1
  const stamped = events.map((event) => {
    seq = event.seq ?? seq + 1
    return { ...event, seq }
  })
  // A reader who is given less than the row says would ask for the rest for ever.
  if (seq === Number(row['last'])) return stamped
  throw new RivuletError('INTERNAL', 'the database is damaged: a group of events ends elsewhere than it says')
}
