import { expect, test } from 'vitest'
import type { Wire } from './loopback.ts'
import { loadRecordings } from './recordings.ts'
import { scoreOverSockets } from './score.ts'

const clean = { reported: 0, silent: 0, wrong: 0 }

/** Here one byte and one border of each run; `bench/cuts` has every border and 500 bytes, each cut in every way. */
test.each<Wire>(['sse', 'web-socket'])('[row 19] over real sockets nothing is lost either: %s', async (wire) => {
  const recordings = await loadRecordings()
  const score = await scoreOverSockets(recordings, wire, { bytes: 1, borders: 1, kinds: 'in turn' }, 4)
  expect(score).toMatchObject({ fin: clean, rst: clean, stall: clean })
  expect(score.fin.recovered + score.rst.recovered + score.stall.recovered).toBeGreaterThan(40)
})
