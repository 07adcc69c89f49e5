import { encodeFrame, wireState, type Frame, type RivuletEvent } from '@rivulet/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { withFaults, type Act, type Fault } from './act.ts'
import { faults, faultsOf } from './faults.ts'
import { joined } from './on-bytes.ts'

const event = (seq: number): RivuletEvent => ({ type: 'custom', run: 'r', data: seq, seq })
const frame = (...seqs: number[]): Act => ({
  type: 'frame',
  frame: { type: 'events', log: 'l', events: seqs.map(event) },
})
const head: Act = { type: 'head', status: 200, headers: { 'content-type': 'text/event-stream' } }
const fin: Act = { type: 'close', how: 'fin' }
const schedule: readonly Act[] = [head, frame(1), frame(2, 3), frame(4), fin]

function encoded(): (one: Frame) => Uint8Array {
  const wire = wireState()
  return (one) => new TextEncoder().encode(encodeFrame(one, wire))
}

const played = (...list: Fault[]) => withFaults(schedule, list, encoded())
const bytesOf = (acts: readonly Act[]) => joined(acts.flatMap((act) => (act.type === 'bytes' ? [act.bytes] : [])))
const textOf = (acts: readonly Act[]) => new TextDecoder().decode(bytesOf(acts))
const kinds = (acts: readonly Act[]) => acts.map(({ type }) => type)
/** Cursors of the blocks that were sent, in order. */
const sent = (acts: readonly Act[]) => [...textOf(acts).matchAll(/^id: l\.(\d+)$/gm)].map(([, seq]) => Number(seq))

test('without faults a schedule is only written', () => {
  expect(kinds(played())).toEqual(['head', 'bytes', 'bytes', 'bytes', 'close'])
  expect(sent(played())).toEqual([1, 3, 4])
})

test('a schedule is not changed, and faults begin anew for each connection', () => {
  const before = JSON.stringify(schedule)
  const cut = faults.cut({ afterEvent: 2 })
  expect(played(cut)).toEqual(played(cut))
  expect(JSON.stringify(schedule)).toBe(before)
})

describe('a cut', () => {
  test('falls between two events of one frame, too, and nothing comes after it', () => {
    expect(sent(played(faults.cut({ afterEvent: 2 })))).toEqual([1, 2])
    expect(played(faults.cut({ afterEvent: 2 }, 'rst')).at(-1)).toEqual({ type: 'close', how: 'rst' })
    expect(kinds(played(faults.cut({ afterEvent: 0 }, 'stall')))).toEqual(['head', 'stall'])
    expect(played(faults.cut({ afterEvent: 9 }))).toEqual(played())
  })

  test('falls behind any byte', () => {
    const whole = bytesOf(played())
    for (let atByte = 0; atByte <= whole.length; atByte++) {
      const acts = played(faults.cut({ atByte }, 'rst'))
      expect(bytesOf(acts)).toEqual(whole.subarray(0, atByte))
      expect(acts.at(-1)).toEqual({ type: 'close', how: 'rst' })
    }
    expect(played(faults.cut({ atByte: whole.length + 1 }, 'rst')).at(-1)).toEqual(fin)
  })
})

describe('a split', () => {
  test('keeps every byte in its place, whatever the seed, also on top of another', () => {
    fc.assert(
      fc.property(fc.integer(), fc.integer(), (one, other) => {
        const acts = played(faults.split(one), faults.split(other))
        expect(bytesOf(acts)).toEqual(bytesOf(played()))
        expect(acts).toEqual(played(faults.split(one), faults.split(other)))
      }),
    )
    expect(kinds(played(faults.split('byte'))).length).toBe(bytesOf(played()).length + 2)
  })

  test('at line ends writes CRLF and ends every piece inside of one', () => {
    const acts = played(faults.split('crlf'))
    expect(textOf(acts)).toBe(textOf(played()).replaceAll('\n', '\r\n'))
    const pieces = acts.flatMap((act) => (act.type === 'bytes' ? [new TextDecoder().decode(act.bytes)] : []))
    expect(pieces.every((piece) => piece === '\n' || piece.endsWith('\r'))).toBe(true)
  })
})

test('events come twice, or not at all', () => {
  expect(textOf(played(faults.duplicate({ event: 3 }))).match(/"data":3/g)).toHaveLength(2)
  expect(textOf(played(faults.drop({ event: 3 })))).not.toContain('"data":3')
})

test('what is held back comes in one piece at the end, or when there is enough of it', () => {
  expect(kinds(played(faults.buffer()))).toEqual(['head', 'bytes', 'close'])
  expect(bytesOf(played(faults.buffer()))).toEqual(bytesOf(played()))
  expect(kinds(played(faults.buffer(1)))).toEqual(kinds(played()))
})

test('another answer takes the place of all of it', () => {
  expect(played(faults.status(503, { retryAfter: 2, headers: { 'x-a': 'b' } }))).toMatchObject([
    { type: 'head', status: 503, headers: { 'retry-after': '2', 'x-a': 'b' } },
    { type: 'bytes' },
    { type: 'close', how: 'fin' },
  ])
  expect(textOf(played(faults.status(409, { body: { a: 1 } })))).toBe('{"a":1}')
  expect(played(faults.html())[0]).toMatchObject({
    status: 200,
    headers: { 'content-type': expect.stringContaining('html') },
  })
})

test('a delay stands before each piece, a held answer before its head', () => {
  expect(kinds(played(faults.delay(5)))).toEqual(['head', 'wait', 'bytes', 'wait', 'bytes', 'wait', 'bytes', 'close'])
  expect(kinds(played(faults.reorder())).slice(0, 2)).toEqual(['hold', 'head'])
})

test('poison stands behind its event and nothing else is touched', () => {
  expect(sent(played(faults.poison({ afterEvent: 1 })))).toEqual([1, 1, 3, 4])
  expect(textOf(played(faults.poison({ afterEvent: 1, kind: 'json' })))).toContain('{"text": "brok\n\n')
  expect(bytesOf(played(faults.oversize({ afterEvent: 1, bytes: 100_000 }))).length).toBeGreaterThan(100_000)
})

test('faults on events come before those on bytes, in whatever order they are given', () => {
  const [a, b] = [faults.split('byte'), faults.drop({ event: 1 })]
  expect(played(a, b)).toEqual(played(b, a))
})

test('a plan is a list by connection, or a function of its number', () => {
  const [cut, drop] = [faults.cut({ atByte: 1 }), faults.drop({ event: 1 })]
  expect(faultsOf([cut, [drop, cut]], 0)).toEqual([cut])
  expect(faultsOf([cut, [drop, cut]], 1)).toEqual([drop, cut])
  expect(faultsOf([cut], 1)).toEqual([])
  expect(faultsOf((connection) => (connection === 5 ? cut : []), 5)).toEqual([cut])
})
