import { type Checkpointer, MemoryCheckpointer, type SavedCheckpoint } from '@rivulet/core'
import { memoryLog, type EventLog } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { checkpointerConformance, logConformance } from '../src/conformance/index.ts'
import { failuresOf } from './failures-of.ts'

describe('the log in memory', () => {
  logConformance(() => memoryLog(), { test, expect })
})

describe('the checkpointer in memory', () => {
  checkpointerConformance(() => new MemoryCheckpointer(), { test, expect })
})

describe('the suite of logs sees', () => {
  test.each<[string, (log: EventLog) => Partial<EventLog>, string]>([
    [
      'an event that is lost',
      (log) => ({ append: (events, options) => log.append(events.slice(1), options) }),
      'numbers',
    ],
    ['a fence that is not looked at', (log) => ({ append: (events) => log.append(events) }), 'refuses'],
    ['a read that ignores its limit', (log) => ({ read: (after) => log.read(after, 1000) }), 'numbers'],
    [
      'a snapshot that lags behind',
      (log) => ({ snapshot: async () => ({ ...(await log.snapshot()), cursor: 0 }) }),
      'shows',
    ],
    [
      'a wait that nobody can leave',
      (log) => ({ waitFor: async (after) => log.waitFor(after, new AbortController().signal) }),
      'wakes',
    ],
  ])('%s', async (_name, broken, failing) => {
    const failures = await failuresOf((harness) =>
      logConformance(() => {
        const log = memoryLog()
        return { ...log, ...broken(log) }
      }, harness),
    )
    expect(failures.some((name) => name.startsWith(failing))).toBe(true)
  })
})

/** The newest first, as ever, but as some list of them. */
async function* listed(keeper: Checkpointer, place: [string, string], change: (all: SavedCheckpoint[]) => unknown[]) {
  const all: SavedCheckpoint[] = []
  for await (const one of keeper.list(...place)) all.push(one)
  // Only their order and number is changed.
  yield* change(all) as SavedCheckpoint[]
}

describe('the suite of checkpointers sees', () => {
  test.each<[string, (keeper: Checkpointer) => Partial<Checkpointer>, string]>([
    ['one that always gives the newest', (keeper) => ({ get: (thread, ns) => keeper.get(thread, ns) }), 'gives back'],
    [
      'namespaces that are one',
      (keeper) => ({
        get: (thread, _ns, id) => keeper.get(thread, '', id),
        put: (thread, _ns, checkpoint, change) => keeper.put(thread, '', checkpoint, change),
      }),
      'keeps threads',
    ],
    ['a thread that stays when it is deleted', () => ({ deleteThread: async () => undefined }), 'keeps threads'],
    [
      'pending steps that are added to, and not replaced',
      (keeper) => ({
        putPending: async (thread, ns, id, pending) => {
          const before = (await keeper.get(thread, ns, id))?.tasks ?? []
          await keeper.putPending(thread, ns, id, { ...pending, tasks: [...before, ...pending.tasks] })
        },
      }),
      'holds what is pending',
    ],
    [
      'a list from the oldest',
      (keeper) => ({ list: (thread, ns) => listed(keeper, [thread, ns], (all) => all.toReversed()) }),
      'lists',
    ],
    [
      'a list without its bounds',
      (keeper) => ({ list: (thread, ns) => listed(keeper, [thread, ns], (all) => all) }),
      'lists',
    ],
    [
      'changes laid over the newest state instead of the parent',
      (keeper) => ({
        put: async (thread, ns, checkpoint, change) => {
          const newest = (await keeper.get(thread, ns))?.values ?? {}
          await keeper.put(thread, ns, { ...checkpoint, values: { ...newest, ...checkpoint.values } }, change)
        },
      }),
      'gives each checkpoint',
    ],
  ])('%s', async (_name, broken, failing) => {
    const failures = await failuresOf((harness) =>
      checkpointerConformance(() => {
        const keeper = new MemoryCheckpointer()
        const whole: Checkpointer = {
          get: (...asked) => keeper.get(...asked),
          put: (...asked) => keeper.put(...asked),
          putPending: (...asked) => keeper.putPending(...asked),
          list: (...asked) => keeper.list(...asked),
          deleteThread: (...asked) => keeper.deleteThread(...asked),
        }
        return { ...whole, ...broken(keeper) }
      }, harness),
    )
    expect(failures.filter((name) => name.startsWith(failing))).toHaveLength(1)
  })
})
