import { emptyState, fold, serializeState, type EventLog, type StampedEvent, type ThreadState } from '@rivulet/protocol'
import type { Store } from '@rivulet/server'
import type { VirtualTime } from './virtual-time.ts'

/** Every event that a thread's log took, as it took it, whatever the log has merged or dropped since. */
export interface Record {
  readonly log: EventLog
  readonly events: readonly StampedEvent[]
  /** What a page may show at this cursor, as text that can be compared. */
  toldAt(cursor: number): string
}

/** Everything a state says, as text that can be compared. */
export function told(state: ThreadState): string {
  return JSON.stringify({ log: state.log, cursor: state.cursor, ...serializeState(state) })
}

/** A store whose threads' events are written down as they are appended. */
export function recordedStore(store: Store, time: VirtualTime): { store: Store; records: Map<string, Record> } {
  const records = new Map<string, Record>()
  const logs = new WeakMap<EventLog, EventLog>()
  return {
    records,
    store: new Proxy(store, {
      get(target, name) {
        const value: unknown = Reflect.get(target, name)
        if (name !== 'openLog') return typeof value === 'function' ? value.bind(target) : value
        return async (tenant: string, thread: string) => {
          const log = await target.openLog(tenant, thread)
          const known = logs.get(log)
          if (known !== undefined) return known
          const { recorded, record } = recordedLog(log, time)
          logs.set(log, recorded)
          records.set(thread, record)
          return recorded
        }
      },
    }),
  }
}

function recordedLog(log: EventLog, time: VirtualTime): { recorded: EventLog; record: Record } {
  const events: StampedEvent[] = []
  const recorded: EventLog = {
    id: log.id,
    ...(log.keepsFor !== undefined && { keepsFor: log.keepsFor }),
    head: () => log.head(),
    read: (after, limit) => log.read(after, limit),
    snapshot: () => log.snapshot(),
    waitFor: (after, signal) => log.waitFor(after, signal),
    append(appended, options) {
      time.touch()
      const before = log.head()
      const done = log.append(appended, options)
      // A memory log has taken them when it returns; what it refused it has not.
      if (log.head() === before + appended.length) {
        events.push(...appended.map((event, i) => ({ ...event, seq: before + i + 1 })))
      }
      return done
    },
  }
  const states: ThreadState[] = [fold(emptyState(), { type: 'sync', phase: 'replay', log: log.id, seq: 0 })]
  const texts = new Map<number, string>()
  const toldAt = (cursor: number): string => {
    for (let seq = states.length; seq <= cursor; seq++) states.push(fold(states[seq - 1]!, events[seq - 1]!))
    const text = texts.get(cursor) ?? told(states[cursor]!)
    texts.set(cursor, text)
    return text
  }
  return { recorded, record: { log, events, toldAt } }
}
