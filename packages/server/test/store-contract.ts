import { storeConformance } from '@rivulet/testing/conformance'
import { describe, expect, test } from 'vitest'
import type { Run, Store, Thread } from '../src/index.ts'
import { readRunRequest } from '../src/runs/run-request.ts'

/** A thread with plain fields. */
export const newThread = (id: string, more: Partial<Thread> = {}): Thread => ({
  id,
  graph: undefined,
  metadata: {},
  createdAt: 1,
  updatedAt: 1,
  status: 'idle',
  memory: `memory of ${id}`,
  ...more,
})

const newRun = (id: string): Run => ({
  id,
  graph: 'g',
  status: 'running',
  error: undefined,
  modes: ['updates'],
  after: 'log.0',
  fingerprint: 'f',
  createdAt: 1,
  request: readRunRequest({ graph: 'g', input: { text: '𝕏 "quoted" \u0000' }, context: { deep: [1, null] } }),
  attempt: 1,
  stalls: 0,
  from: undefined,
  base: undefined,
})

const done = { status: 'done', error: undefined } as const

/** What any store does, whatever it is made of. `makeStore` answers an empty one, gone with the test. */
export function storeContract(makeStore: () => Promise<Store>): void {
  storeConformance(makeStore, { test, expect })

  describe('runs', () => {
    test('keep what was asked until they end', async () => {
      const store = await makeStore()
      await store.createThread('', newThread('t'))
      await store.startRun('', 't', newRun('a'), 1)
      expect(await store.activeRun('', 't')).toEqual(newRun('a'))
      await store.endRun('', 't', 'a', done)
      expect(await store.getRun('', 't', 'a')).toEqual({ ...newRun('a'), ...done, request: undefined })
    })

    test('are remembered up to a bound', async () => {
      const store = await makeStore()
      await store.createThread('', newThread('t'))
      for (let i = 0; i < 1002; i++) {
        await store.startRun('', 't', newRun(`r${i}`), 1)
        await store.endRun('', 't', `r${i}`, done)
      }
      expect(await store.getRun('', 't', 'r0')).toBeUndefined()
      expect(await store.getRun('', 't', 'r5')).toBeDefined()
    })
  })
}
