import { MemoryCheckpointer } from '@rivulet/core'
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
