import { expect, test } from 'vitest'
import { serializeState } from '../../src/index.ts'
import folded from './recordings/folded.json' with { type: 'json' }
import { threadsIn } from './read-recording.ts'
import { recordingsNamed } from './recordings.ts'
import { foldRun, shown } from './shown.ts'

/** What each recording shows, whatever it is read with. */
const expected: Readonly<Record<string, readonly unknown[]>> = folded

test('every recording has what it folds to beside it', () => {
  expect(recordingsNamed('').toSorted()).toEqual(Object.keys(expected).toSorted())
})

test.each(recordingsNamed(''))(
  '%s: nothing is missing, and it folds to the same, in Node as in a page, however its bytes are cut',
  (name) => {
    const whole = threadsIn(name).map((events) => foldRun(events))
    expect(JSON.parse(JSON.stringify(whole.map(shown)))).toEqual(expected[name])
    for (const pieceBytes of [1, 7, 64]) {
      const cut = threadsIn(name, pieceBytes).map((events) => foldRun(events))
      expect(cut.map(serializeState)).toEqual(whole.map(serializeState))
    }
  },
)
