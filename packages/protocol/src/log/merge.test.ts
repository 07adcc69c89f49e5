import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { followOn, stampAll, stateOf } from '../../test/logs.ts'
import { randomRuns } from '../../test/random-log.ts'
import type { RunEvent } from '../events/event.ts'
import { foldAll } from '../fold/fold.ts'
import { emptyState } from '../fold/state.ts'
import { mergeDeltas } from './merge.ts'

const delta = (id: string, at: number, text: string, part = 0): RunEvent => ({
  type: 'message.delta',
  run: 'r',
  id,
  part,
  at,
  text,
})
const custom: RunEvent = { type: 'custom', run: 'r', data: 1 }

/** What a frame says after merging: `seq`, and text for deltas or the type. */
const merged = (events: readonly RunEvent[]): string[] =>
  mergeDeltas(stampAll(events)).map(
    (event) => `${event.seq} ${event.type === 'message.delta' ? event.text : event.type}`,
  )

describe('in one frame', () => {
  test('deltas in a row become one, at the place of the last', () => {
    expect(merged([delta('a', 0, 'x'), delta('a', 1, 'y'), delta('a', 2, 'z')])).toEqual(['3 xyz'])
  })

  test('deltas of messages that stream in turns become one each, at the place of their first', () => {
    expect(merged([delta('a', 0, 'x'), delta('b', 0, '1'), delta('a', 1, 'y'), delta('b', 1, '2')])).toEqual([
      '1 xy',
      '4 12',
    ])
  })

  test('the last event keeps its place, so that the frame ends where the log was', () => {
    expect(merged([delta('a', 0, 'x'), custom, delta('a', 1, 'y'), delta('a', 2, 'z')])).toEqual([
      '1 xy',
      '2 custom',
      '4 z',
    ])
  })

  test.each<[string, RunEvent]>([
    ['values', { type: 'values', run: 'r' }],
    ['a rewind', { type: 'rewind', run: 'r', task: 't', node: 'n', attempt: 1 }],
    ['the end of a run', { type: 'run.end', run: 'r', status: 'done' }],
    ['another part of the message', delta('a', 0, '!', 1)],
    ['the end of the message', { type: 'message.end', run: 'r', id: 'a', lengths: [1] }],
    ['the start of the message', { type: 'message.start', run: 'r', id: 'a', role: 'assistant' }],
    ['the removal of the message', { type: 'message.remove', run: 'r', id: 'a' }],
    ['the message as a whole', { type: 'message', run: 'r', message: { id: 'a', role: 'assistant', content: '' } }],
  ])('nothing merges across %s', (_name, between) => {
    const events = stampAll([delta('a', 0, 'x'), between, delta('a', 1, 'y'), custom])
    expect(mergeDeltas(events)).toEqual(events)
  })

  test('text that overlaps with what is there is not merged', () => {
    const events = stampAll([delta('a', 0, 'xy'), delta('a', 1, 'yz'), custom])
    expect(mergeDeltas(events)).toEqual(events)
  })

  test('the events that came in stay as they are', () => {
    const events = stampAll([delta('a', 0, 'x'), delta('a', 1, 'y'), delta('a', 2, 'z')])
    const copy = structuredClone(events)
    mergeDeltas(events)
    expect(events).toEqual(copy)
  })
})

test('whatever is merged, in frames of whatever size, adds up to the same states at the borders of frames', () => {
  fc.assert(
    fc.property(randomRuns, fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1 }), (runs, sizes) => {
      const events = stampAll(runs)
      let plain = emptyState()
      let lean = emptyState()
      for (let i = 0, turn = 0; i < events.length; turn++) {
        const frame = events.slice(i, (i += sizes[turn % sizes.length]!))
        const shorter = followOn(mergeDeltas(frame), lean.cursor)
        plain = foldAll(plain, frame)
        lean = foldAll(lean, shorter)
        expect(shorter.length).toBeLessThanOrEqual(frame.length)
        expect(stateOf(lean)).toEqual(stateOf(plain))
      }
    }),
  )
})
