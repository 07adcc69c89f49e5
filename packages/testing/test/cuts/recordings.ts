import { readdirSync, readFileSync } from 'node:fs'
import { emptyState, fold, memoryLog, nextTurn, readLog, serializeState, type Frame } from '@rivulet/protocol'
import type { RunEvent, StampedEvent, ThreadState } from '@rivulet/protocol'

/** A stream that is cut: what a small graph said on one thread, as a server sends it. */
export interface Recording {
  readonly name: string
  /** Its runs in order, each with the frames of somebody who reads while it runs. */
  readonly runs: readonly { readonly id: string; readonly frames: readonly Frame[] }[]
  /** What a reader may ever show: the state after each event, as text. The last is the whole. */
  readonly told: readonly string[]
  /** What a server sends whoever comes back for this run behind `after`, or without a cursor. */
  readonly again: (run: string, after: string | undefined) => Promise<readonly Frame[]>
}

/** Id of the log of every recording. */
const LOG = 'recorded'
const folder = new URL('./recordings/', import.meta.url)

/** Everything a state says, as text that can be compared. */
export function tell(state: ThreadState): string {
  return JSON.stringify({ cursor: state.cursor, ...serializeState(state) })
}

/** The recorded streams, in the order of their names. */
export async function loadRecordings(): Promise<readonly Recording[]> {
  const files = readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .toSorted()
  return Promise.all(
    files.map((file) => {
      // Written by `bench/cuts/record.mjs`.
      const { events } = JSON.parse(readFileSync(new URL(file, folder), 'utf8')) as { events: StampedEvent[] }
      return recordingOf(file.replace('.json', ''), events)
    }),
  )
}

async function recordingOf(name: string, events: readonly StampedEvent[]): Promise<Recording> {
  const ids = [...new Set(events.map(({ run }) => run))]
  const logs = new Map(await Promise.all(ids.map(async (id) => [id, await logUntil(events, id)] as const)))
  const kept = new Map<string, Promise<readonly Frame[]>>()
  let state = emptyState()
  return {
    name,
    told: events.map((event) => tell((state = fold(state, event)))),
    runs: await Promise.all(ids.map(async (id) => ({ id, frames: await liveFrames(events, id) }))),
    again(run, after) {
      const key = `${run} ${after}`
      const known =
        kept.get(key) ?? collected(readLog(logs.get(run)!, { after, until: run }, new AbortController().signal))
      kept.set(key, known)
      return known
    },
  }
}

/** A log that ends with this run. */
async function logUntil(events: readonly StampedEvent[], run: string): Promise<ReturnType<typeof memoryLog>> {
  const log = memoryLog({ id: LOG })
  await log.append(unstamped(events.slice(0, events.findLastIndex((event) => event.run === run) + 1)))
  return log
}

/** The frames of a reader who has what was before the run, asks before it begins, and is told each event by itself. */
async function liveFrames(events: readonly StampedEvent[], run: string): Promise<readonly Frame[]> {
  const first = events.findIndex((event) => event.run === run)
  const log = memoryLog({ id: LOG })
  if (first > 0) await log.append(unstamped(events.slice(0, first)))
  const after = first > 0 ? first : undefined
  const frames = collected(readLog(log, { after, until: run }, new AbortController().signal))
  for (const event of events.slice(first).filter((one) => one.run === run)) {
    // The reader has asked for more by then.
    await nextTurn()
    await log.append(unstamped([event]))
  }
  return frames
}

function unstamped(events: readonly StampedEvent[]): RunEvent[] {
  return events.map(({ seq: _seq, ...event }) => event)
}

async function collected(frames: AsyncIterable<Frame>): Promise<readonly Frame[]> {
  const list: Frame[] = []
  for await (const frame of frames) list.push(frame)
  return list
}
