import type { Frame } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/faults/random.ts'
import { bodyOf, bordersOf } from './backend.ts'
import { overBodies, overFrames } from './in-memory.ts'
import { loadRecordings, type Recording } from './recordings.ts'
import { KINDS } from './score.ts'
import { scoreOf, type Cut, type Outcome, type Score } from './session.ts'

/** With `CUTS=all` every byte is cut in every way. Without, every border and so many bytes of each stream in one way each. */
const isAll = process.env['CUTS'] === 'all'
const SAMPLE = 3

const recordings = await loadRecordings()

test('there are 20 recorded streams', () => {
  expect(recordings).toHaveLength(20)
})

/** Places to cut a run's body at, in bytes. */
function placesOf(frames: readonly Frame[], seed: number): readonly number[] {
  const { length } = bodyOf(frames)
  if (isAll) return upTo(length)
  const random = seededRandom(seed)
  return [...new Set([...bordersOf(frames), ...upTo(SAMPLE).map(() => Math.floor(random() * length))])]
}

function upTo(last: number): readonly number[] {
  return Array.from({ length: last + 1 }, (_, at) => at)
}

/** Plays every cut of a recording. */
async function scored(
  { runs }: Recording,
  places: (frames: readonly Frame[], seed: number) => readonly number[],
  session: (cut: Cut) => Promise<Outcome>,
): Promise<Score> {
  const outcomes: Outcome[] = []
  for (const [i, { id: run, frames }] of runs.entries()) {
    for (const [n, at] of places(frames, i).entries()) {
      for (const kind of isAll ? KINDS : [KINDS[n % KINDS.length]!]) outcomes.push(await session({ run, at, kind }))
    }
  }
  return scoreOf(outcomes)
}

const clean: Partial<Score> = { reported: 0, silent: 0, wrong: 0 }

describe('[row 19] a body in memory that is cut behind any byte loses nothing and shows nothing that never was', () => {
  test.each(recordings.map((recording) => ({ recording, name: recording.name })))(
    '$name',
    async ({ recording }) => {
      expect(await scored(recording, placesOf, (cut) => overBodies(recording, cut))).toMatchObject(clean)
    },
    60_000,
  )
})

test('so does a socket in memory that is cut behind any frame', async () => {
  for (const recording of recordings) {
    const score = await scored(
      recording,
      // Without all, every other frame: what is between two of them is cut over bodies, too.
      (frames) => upTo(frames.length).filter((at) => isAll || at % 2 === 0),
      (cut) => overFrames(recording, cut),
    )
    expect(score).toMatchObject(clean)
  }
})
