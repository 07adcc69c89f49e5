import { protocol } from '../production.mjs'
import { cutAtDeltas, recorded, textChunk } from './recorded.mjs'
import { atMost } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./recorded.mjs').StampedEvent} StampedEvent */

/** What a reader missed: one short of where the log looks whether a snapshot is shorter. */
const BACKLOG = 999

/**
 * A log by hand: stamped events in a list, and what they weigh as text.
 *
 * @param {readonly StampedEvent[]} events
 */
function byHand(events) {
  const log = []
  let bytes = 0
  for (const event of events) {
    log.push(Object.assign({}, event, { seq: log.length + 1 }))
    bytes += JSON.stringify(event).length
  }
  return bytes > 0 ? log.length : 0
}

/** @param {number} tokens */
async function appendable(tokens) {
  const { before, deltas } = cutAtDeltas(await recorded(textChunk, tokens))
  return { count: before.length, events: [...before, ...deltas] }
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'log/append',
    unit: 'µs CPU a token',
    size: 20_000,
    smokeSize: 40,
    kind: 'cpu',
    subjects: {
      floor: async (tokens) => {
        const { count, events } = await appendable(tokens)
        return () => byHand(events) - count
      },
      ours: async (tokens) => {
        const { count, events } = await appendable(tokens)
        const { memoryLog } = await protocol()
        return async () => {
          const log = memoryLog()
          for (const event of events) await log.append([event])
          return log.head() - count
        }
      },
    },
    targets: [],
  },
  {
    name: 'log/resume',
    unit: `µs CPU a backlog of ${BACKLOG} events, log to text`,
    size: 1,
    smokeSize: 1,
    kind: 'cpu',
    subjects: {
      ours: async () => {
        const { encodeFrame, memoryLog, readLog, wireState } = await protocol()
        const { count, events } = await appendable(2 * BACKLOG)
        const log = memoryLog()
        await log.append(events)
        const after = count + BACKLOG
        return async () => {
          const wire = wireState()
          const leave = new AbortController()
          let bytes = 0
          for await (const frame of readLog(log, { after }, leave.signal)) {
            bytes += encodeFrame(frame, wire).length
            if (frame.type === 'events' && frame.events.at(-1)?.seq === log.head()) leave.abort()
          }
          return bytes > 0 ? 1 : 0
        }
      },
    },
    targets: [atMost('15 ms', () => 15_000)],
  },
]
