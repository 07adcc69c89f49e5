import fc from 'fast-check'
import { expect, test } from 'vitest'
import { emptyState, fold, foldAll, type RivuletEvent, type StampedEvent } from '../../src/index.ts'
import { compactRun } from '../../src/log/compact.ts'
import { below, cases, logs, timeout } from './logs.ts'
import { mergedDeltas, overlapping } from './rewrite.ts'
import { inBatches, linked, snapshotOf, statesOf, stamp, textOf, told, toldInBatches } from './thread.ts'

const sizes = fc.array(fc.nat({ max: 12 }), { minLength: 1, maxLength: 6 })

test(
  'a batch folds as its events one by one, however the log is cut into batches',
  () => {
    fc.assert(
      fc.property(logs, sizes, (events, cuts) => {
        const states = statesOf(events)
        let state = emptyState()
        let count = 0
        for (const batch of inBatches(events, cuts)) {
          state = foldAll(state, batch)
          count += batch.length
          expect(textOf(state)).toBe(textOf(states[count]!))
        }
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'what arrives again changes nothing, from whatever cursor it is sent again',
  () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), (events, luck, more) => {
        const seen = 1 + below(events.length, luck)
        const state = told(events.slice(0, seen))
        const again = events.slice(below(seen, more), seen)
        expect(foldAll(state, again)).toBe(state)
        for (const event of again) expect(fold(state, event)).toBe(state)
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'deltas that repeat text which is there already add only what is new',
  () => {
    fc.assert(
      fc.property(logs, sizes, (events, luck) => {
        expect(textOf(told(overlapping(events, luck)))).toBe(textOf(told(events)))
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'deltas merged inside a batch fold to the same at its end',
  () => {
    fc.assert(
      fc.property(logs, sizes, (events, cuts) => {
        const batches = inBatches(events, cuts)
        const state = toldInBatches(mergedDeltas(batches))
        const whole = told(events)
        expect(state.gap).toBeUndefined()
        // Two late deltas that were merged are one that is ignored.
        const { cursor, ignored } = whole
        expect(textOf({ ...state, cursor, ignored })).toBe(textOf(whole))
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'a log whose finished runs were compacted folds to the same, whatever the reader had before',
  () => {
    fc.assert(
      fc.property(logs, fc.nat(), (events, luck) => {
        let compact: StampedEvent[] = events
        for (const { type, run } of events) if (type === 'run.end') compact = compactRun(compact, run)
        const before = told(events.slice(0, below(events.length, luck)))
        const after = compact.filter(({ seq }) => seq > before.cursor)
        expect(textOf(told(after, before))).toBe(textOf(told(events)))
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'one lost event stops the state at what came before it, and a snapshot or a replay heals it',
  () => {
    fc.assert(
      fc.property(logs, fc.nat(), (events, luck) => {
        const lost = below(events.length - 1, luck)
        const before = told(events.slice(0, lost))
        for (const state of statesOf(events.slice(lost + 1), before).slice(1)) {
          expect(state.gap).toMatchObject({ seq: events[lost + 1]!.seq })
          expect(textOf({ ...state, gap: undefined })).toBe(textOf(before))
        }
        const stuck = told(events.slice(lost + 1), before)
        const whole = told(events)
        const replay: RivuletEvent = { type: 'sync', phase: 'replay', log: '', seq: stuck.cursor }
        expect(textOf(told([replay, ...events.slice(lost)], stuck))).toBe(textOf(whole))
        expect(textOf(fold(stuck, snapshotOf(whole)))).toBe(textOf(whole))
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'a snapshot and a tail that overlaps it add up to the whole',
  () => {
    fc.assert(
      fc.property(logs, fc.nat(), fc.nat(), fc.nat(), (events, luck, more, other) => {
        const at = below(events.length + 1, luck)
        const snapshot = snapshotOf(told(events.slice(0, at)), 'log')
        const tail = events.slice(below(at + 1, more))
        const whole = textOf({ ...told(events), log: 'log' })
        expect(textOf(told([snapshot, ...tail]))).toBe(whole)
        const older = told(events.slice(0, below(at + 1, other)))
        expect(textOf(told([snapshot, ...tail], older))).toBe(whole)
      }),
      cases(),
    )
  },
  timeout,
)

test(
  'a reader who was sent only some events sees no gap while each says what it follows',
  () => {
    fc.assert(
      fc.property(logs, (events) => {
        const some = linked(events.filter(({ type }) => type !== 'custom' && type !== 'values'))
        expect(told(some)).toMatchObject({ gap: undefined, cursor: some.at(-1)?.seq ?? 0 })
      }),
      cases(),
    )
  },
  timeout,
)

test('an event that comes before the one it follows is held back, and so is all after it', () => {
  const events = stamp([
    { type: 'run.start', run: 'r', protocol: 1 },
    { type: 'message.start', run: 'r', id: 'm', role: 'assistant' },
    { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 0, text: 'a' },
    { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 1, text: 'b' },
  ])
  const state = told([events[0]!, events[2]!, events[1]!, events[3]!])
  expect(textOf({ ...state, gap: undefined })).toBe(textOf(told([events[0]!])))
  expect(state.gap).toEqual({ reason: 'events 2 to 2 did not arrive', seq: 3 })
})
