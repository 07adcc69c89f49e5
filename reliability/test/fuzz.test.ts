import { expect, test } from 'vitest'
import { runSchedule } from '../stack/schedule.ts'
import { runSplits } from '../stack/splits.ts'

// A few of what `pnpm fuzz` runs by the thousand.
test('whatever goes wrong between a node and a page, it shows only what the log said, and all of it in the end', async () => {
  let states = 0
  for (let seed = 1; seed <= 12; seed++) states += (await runSchedule(seed)).states
  expect(states).toBeGreaterThan(80)
})

test('a stream reads the same however it is cut', () => {
  let pieces = 0
  for (let seed = 1; seed <= 50; seed++) pieces += runSplits(seed, 20)
  expect(pieces).toBeGreaterThan(10_000)
})

/** Seeds that failed, with the schedules of their day, and what was wrong. */
const MENDED = {
  39: 'the snapshot was lost, and heartbeats alone kept a page waiting for it',
  289: 'the same, on a page that came later',
}

test.each(Object.entries(MENDED))('schedule %s goes well: %s', async (seed) => {
  expect((await runSchedule(Number(seed))).events).toBeGreaterThan(0)
})
