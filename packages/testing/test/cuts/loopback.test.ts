import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../../src/faults/random.ts'
import type { CutKind } from '../../src/index.ts'
import { loopback, type Loopback, type Wire } from './loopback.ts'
import { loadRecordings } from './recordings.ts'
import { scoreOf, type Outcome } from './session.ts'

const KINDS: readonly CutKind[] = ['fin', 'rst', 'stall']

const recordings = await loadRecordings()
let sockets: Loopback
beforeAll(async () => {
  sockets = await loopback()
})
afterAll(() => sockets.close())

/** Here one byte and one border of each stream; `bench/cuts` has every border and 500 bytes, each cut in every way. */
test.each<Wire>(['sse', 'web-socket'])('over real sockets nothing is lost either: %s', async (wire) => {
  const random = seededRandom(wire.length)
  const outcomes: Outcome[] = []
  for (const [i, recording] of recordings.entries()) {
    const run = recording.runs.at(-1)!.id
    const { length, borders } = await sockets.measure(recording, run, wire)
    const places = [Math.floor(random() * length), borders[Math.floor(random() * borders.length)]!]
    for (const [n, at] of places.entries()) {
      outcomes.push(await sockets.session(recording, { run, at, kind: KINDS[(i + n) % KINDS.length]! }, wire))
    }
  }
  expect(scoreOf(outcomes)).toEqual({ recovered: 40, reported: 0, silent: 0, wrong: 0 })
})
