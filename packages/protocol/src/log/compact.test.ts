import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { stampAll, stateOf } from '../../test/logs.ts'
import { randomRuns } from '../../test/random-log.ts'
import type { RunEvent, StampedEvent } from '../events/event.ts'
import { foldAll } from '../fold/fold.ts'
import { emptyState } from '../fold/state.ts'
import { compactRun } from './compact.ts'

const start = (id: string): RunEvent => ({ type: 'message.start', run: 'r', id, role: 'assistant' })
const delta = (id: string, part: number, at: number, text: string): RunEvent => ({
  type: 'message.delta',
  run: 'r',
  id,
  part,
  at,
  text,
  ...(at === 0 && { kind: 'text' as const }),
})
const end = (id: string, ...lengths: number[]): RunEvent => ({ type: 'message.end', run: 'r', id, lengths })

/** What a log shows of its events: type, place, and what they follow when it is not the one before. */
const shape = (events: readonly StampedEvent[]): string[] =>
  events.map(({ type, seq, prev }) => `${seq} ${type}${prev === undefined ? '' : ` after ${prev}`}`)

describe('a finished run', () => {
  const events = stampAll([
    start('a'),
    delta('a', 0, 0, 'one '),
    delta('a', 0, 4, 'two '),
    delta('a', 0, 8, 'three'),
    end('a', 13),
  ])

  test('keeps one delta a part, where its last one stood', () => {
    const compacted = compactRun(events, 'r')
    expect(shape(compacted)).toEqual(['1 message.start', '4 message.delta after 1', '5 message.end'])
    expect(compacted[1]).toMatchObject({ at: 0, text: 'one two three', kind: 'text' })
  })

  test('is not compacted for another run', () => {
    expect(compactRun(events, 'other')).toEqual(events)
  })

  test('keeps the first piece of parts that were written in turns, so that none appears too early', () => {
    const turns = stampAll([
      start('a'),
      delta('a', 0, 0, 'x'),
      delta('a', 1, 0, 'y'),
      delta('a', 0, 1, 'x'),
      delta('a', 1, 1, 'y'),
      delta('a', 1, 2, 'y'),
      delta('a', 0, 2, 'x'),
      end('a', 3, 3),
    ])
    const compacted = compactRun(turns, 'r')
    expect(shape(compacted)).toEqual([
      '1 message.start',
      '2 message.delta',
      '3 message.delta',
      '6 message.delta after 3',
      '7 message.delta',
      '8 message.end',
    ])
    expect(stateOf(foldAll(emptyState(), compacted))).toEqual(stateOf(foldAll(emptyState(), turns)))
  })

  test('keeps messages that began again apart', () => {
    const again = stampAll([
      start('a'),
      delta('a', 0, 0, 'x'),
      delta('a', 0, 1, 'x'),
      end('a', 2),
      start('a'),
      delta('a', 0, 0, 'y'),
      delta('a', 0, 1, 'y'),
      end('a', 2),
    ])
    expect(compactRun(again, 'r').flatMap((event) => (event.type === 'message.delta' ? [event.text] : []))).toEqual([
      'xx',
      'yy',
    ])
  })

  test('keeps a long part in pieces that can be sent at once', () => {
    const text = 'x'.repeat(1000)
    const pieces = Array.from({ length: 200 }, (_, i) => delta('a', 0, i * 1000, text))
    const long = stampAll([start('a'), ...pieces, end('a', 200_000)])
    const compacted = compactRun(long, 'r')
    const lengths = compacted.flatMap((event) => (event.type === 'message.delta' ? [event.text.length] : []))
    expect(lengths).toEqual([66_000, 66_000, 66_000, 2000])
    expect(stateOf(foldAll(emptyState(), compacted))).toEqual(stateOf(foldAll(emptyState(), long)))
  })

  test('leaves deltas that do not follow on as they are', () => {
    const odd = stampAll([start('a'), delta('a', 0, 0, 'x'), delta('a', 0, 5, 'y'), end('a', 1)])
    expect(compactRun(odd, 'r')).toEqual(odd)
  })
})

describe('whatever a run was', () => {
  /** Every run of the log compacted as it ends, as a log does it. */
  function compactAll(events: readonly StampedEvent[]): StampedEvent[] {
    const kept: StampedEvent[] = []
    for (const event of events) {
      kept.push(event)
      if (event.type !== 'run.end') continue
      const from = kept.findLastIndex((other) => other.type === 'run.start')
      kept.push(...compactRun(kept.splice(from), event.run))
    }
    return kept
  }

  test('its compacted events add up to the same state', () => {
    fc.assert(
      fc.property(randomRuns, (runs) => {
        const events = stampAll(runs)
        const compacted = compactAll(events)
        expect(compacted.length).toBeLessThanOrEqual(events.length)
        const whole = foldAll(emptyState(), events)
        expect(whole).toMatchObject({ gap: undefined, ignored: 0 })
        expect(stateOf(foldAll(emptyState(), compacted))).toEqual(stateOf(whole))
      }),
    )
  })

  test('a reader that stopped anywhere goes on from the compacted events to the same state', () => {
    fc.assert(
      fc.property(randomRuns, (runs) => {
        const events = stampAll(runs)
        const compacted = compactAll(events)
        const whole = foldAll(emptyState(), events)
        for (let cursor = 0; cursor <= events.length; cursor++) {
          const partial = foldAll(emptyState(), events.slice(0, cursor))
          const rest = compacted.filter((event) => event.seq > cursor)
          expect(stateOf(foldAll(partial, rest))).toEqual(stateOf(whole))
        }
      }),
    )
  })
})
