import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RivuletError } from '../errors.ts'
import type { RivuletEvent, RunEvent } from '../events/event.ts'
import { emptyState } from '../fold/state.ts'
import { serializeState } from '../fold/snapshot.ts'
import type { Frame } from '../frame.ts'
import { createFrameDecoder } from './decode-frame.ts'
import { encodeFatal, encodeFrame, wireState } from './encode-frame.ts'

const stamp = (event: RunEvent, seq: number, prev?: number): RivuletEvent =>
  prev === undefined ? { ...event, seq } : { ...event, seq, prev }
const delta = (text: string, at: number): RunEvent => ({
  type: 'message.delta',
  run: 'r1',
  id: 'm1',
  part: 0,
  at,
  text,
})
const frame = (...events: RivuletEvent[]): Frame => ({ type: 'events', log: 'k3x9q0ab', events })

/** A connection as it may go: every kind of frame, several runs, holes that filters left, an event of the future. */
const recorded: Frame[] = [
  frame({ type: 'sync', phase: 'snapshot', log: 'k3x9q0ab', state: serializeState(emptyState()), seq: 3 }),
  frame({ type: 'sync', phase: 'live', log: 'k3x9q0ab', seq: 3 }),
  frame(stamp({ type: 'run.start', run: 'r1', protocol: 1 }, 4)),
  frame(stamp({ type: 'message.start', run: 'r1', id: 'm1', role: 'assistant' }, 5)),
  frame(stamp(delta('Grüße, ', 0), 6)),
  frame(stamp({ ...delta('why', 0), part: 1, kind: 'reasoning' } as RunEvent, 8, 6)),
  frame(stamp(delta('😀\nline', 7), 9), stamp({ type: 'custom', run: 'r1', data: { a: null } }, 10)),
  { type: 'at', log: 'k3x9q0ab', seq: 10 },
  frame(stamp({ type: 'error', run: 'r1', error: { code: 'NODE_FAILED', message: 'tool failed' } }, 11)),
  frame(
    stamp({ type: 'run.end', run: 'r1', status: 'done' }, 12),
    stamp({ type: 'run.start', run: 'r2', protocol: 1 }, 20, 12),
    stamp({ type: 'run.end', run: 'r2', status: 'done' }, 21),
  ),
  // A type this version does not know, from a newer server.
  frame({ type: 'sculpture', run: 'r3', form: 'cube', seq: 22 } as unknown as RivuletEvent),
  frame({ type: 'odd\nname', run: 'r3', seq: 23 } as unknown as RivuletEvent),
  frame({ type: 'batch', run: 'r3', seq: 24 } as unknown as RivuletEvent),
  { type: 'retry', delayMs: 250 },
]

function encodeAll(frames: readonly Frame[]): string {
  const wire = wireState()
  return frames.map((each) => encodeFrame(each, wire)).join('')
}

function decodeAll(pieces: readonly (Uint8Array | string)[]): Frame[] {
  const decoder = createFrameDecoder()
  const frames = pieces.flatMap((piece) => decoder.push(piece))
  decoder.end()
  return frames
}

describe('the wire', () => {
  test('shows the event model to whoever looks at it', () => {
    expect(encodeAll(recorded.slice(1, 8))).toBe(
      [
        'id: k3x9q0ab.3\nevent: sync\ndata: {"phase":"live"}\n\n',
        'id: k3x9q0ab.4\nevent: run.start\ndata: {"protocol":1,"run":"r1"}\n\n',
        'id: k3x9q0ab.5\nevent: message.start\ndata: {"id":"m1","role":"assistant"}\n\n',
        'id: k3x9q0ab.6\nevent: message.delta\ndata: {"id":"m1","at":0,"text":"Grüße, "}\n\n',
        'id: k3x9q0ab.8\nevent: message.delta\n',
        'data: {"id":"m1","part":1,"at":0,"text":"why","kind":"reasoning","prev":6}\n\n',
        'id: k3x9q0ab.10\nevent: batch\n',
        'data: [{"type":"message.delta","seq":9,"id":"m1","at":7,"text":"😀\\nline"},',
        '{"type":"custom","data":{"a":null}}]\n\n',
        ': at k3x9q0ab.10\n\n',
      ].join(''),
    )
  })

  test('carries every frame as it was, however the bytes are cut', () => {
    const bytes = new TextEncoder().encode(encodeAll(recorded))
    for (let i = 0; i <= bytes.length; i++) {
      expect(decodeAll([bytes.subarray(0, i), bytes.subarray(i)])).toEqual(recorded)
    }
    expect(decodeAll(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))).toEqual(recorded)
  })

  test.each([
    ['CRLF', (text: string) => text.replaceAll('\n', '\r\n')],
    ['CR', (text: string) => text.replaceAll('\n', '\r')],
    ['a BOM', (text: string) => `\uFEFF${text}`],
    ['comments and unknown fields', (text: string) => text.replaceAll(/^(id|data): /gm, ': x\nfoo: bar\n$1: ')],
    ['no space behind colons', (text: string) => text.replaceAll(/^(id|event|data): /gm, '$1:')],
  ])('carries every frame as it was, with %s, however the bytes are cut', (_name, rewrite) => {
    const bytes = new TextEncoder().encode(rewrite(encodeAll(recorded)))
    for (let i = 0; i <= bytes.length; i += 7) {
      expect(decodeAll([bytes.subarray(0, i), bytes.subarray(i)])).toEqual(recorded)
    }
    expect(decodeAll(Array.from(bytes, (_, i) => bytes.subarray(i, i + 1)))).toEqual(recorded)
  })

  test('carries every frame as it was, in pieces of any size', () => {
    const text = encodeAll(recorded)
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length }), { maxLength: 20 }), (places) => {
        const ends = [0, ...places.toSorted((a, b) => a - b), text.length]
        expect(decodeAll(ends.slice(1).map((end, i) => text.slice(ends[i], end)))).toEqual(recorded)
      }),
    )
  })

  test('delivers nothing of an event that the end of the body cut off', () => {
    const whole = encodeAll(recorded.slice(0, 4))
    for (let cut = whole.length + 1; cut < encodeAll(recorded.slice(0, 5)).length; cut++) {
      expect(decodeAll([encodeAll(recorded).slice(0, cut)])).toEqual(recorded.slice(0, 4))
    }
  })

  test('costs at most 100 bytes a token beside its text, with ids as long as ours are', () => {
    const wire = wireState()
    const run = 'td0ttpkc0bxbura4k4uw8dsk'
    const tokens = 10_000
    let bytes = encodeFrame(frame(stamp({ type: 'run.start', run, protocol: 1 }, 1)), wire).length
    for (let i = 0; i < tokens; i++) {
      const event = { type: 'message.delta', run, id: '3afarmkso19w.0', part: 0, at: i * 4, text: 'word' } as const
      bytes += encodeFrame(frame(stamp(event, i + 2)), wire).length - event.text.length
    }
    expect(bytes / tokens).toBeLessThanOrEqual(100)
  })

  test('leaves no event for a frame without any', () => {
    expect(encodeFrame(frame(), wireState())).toBe('')
  })
})

describe('what ends the stream for one reader', () => {
  test('is thrown as the error it says, after what came before it', () => {
    const decoder = createFrameDecoder()
    const fatal = encodeFatal({ code: 'SLOW_CONSUMER', message: 'too far behind', retryable: true })
    expect(decoder.push(encodeAll(recorded.slice(0, 2)) + fatal)).toEqual(recorded.slice(0, 2))
    expect(decoder.error).toMatchObject({ code: 'SLOW_CONSUMER', message: 'too far behind', retryable: true })
    expect(() => decoder.push('')).toThrow(decoder.error)
    expect(() => decoder.end()).toThrow(decoder.error)
  })

  test('is thrown at once when nothing came before it', () => {
    expect(() => createFrameDecoder().push(encodeFatal({ code: 'NOT_FOUND', message: 'gone' }))).toThrow('gone')
  })

  test('is told from an error event, after which the run goes on', () => {
    const event = stamp({ type: 'error', run: 'r', error: { code: 'UNSERIALIZABLE', message: 'a bigint' } }, 1)
    expect(decodeAll([encodeAll([frame(event)])])).toEqual([frame(event)])
  })

  test('with a code of another version is an error of ours', () => {
    expect(() => createFrameDecoder().push('event: error\ndata: {"code":"NEW","message":"x"}\n\n')).toThrow(
      expect.objectContaining({ code: 'INTERNAL', message: 'x' }),
    )
  })
})

describe('what is not the own wire is one typed error', () => {
  test.each([
    ['malformed JSON', 'id: a.1\nevent: custom\ndata: {"a":\n\n', 'custom event is not JSON'],
    ['JSON that is no object', 'id: a.1\nevent: custom\ndata: 5\n\n', 'custom event is not an object'],
    ['an event without a cursor', 'event: custom\ndata: {}\n\n', 'a custom event has no cursor'],
    ['a cursor of another form', 'id: 17\nevent: custom\ndata: {}\n\n', '"17" is not a cursor'],
    ['a batch that is no list', 'id: a.1\nevent: batch\ndata: {}\n\n', 'a batch is not a list'],
    ['a batch of no events', 'id: a.1\nevent: batch\ndata: [1]\n\n', 'an event of a batch has no type'],
    ['a batch that ends elsewhere', 'id: a.9\nevent: batch\ndata: [{"type":"x","seq":3}]\n\n', 'a batch ends at 3'],
    ['the end mark of another protocol', 'data: [DONE]\n\n', 'message event is not JSON'],
    ['a fatal error without a sentence', 'event: error\ndata: {}\n\n', 'the server ended the stream'],
  ])('%s', (_name, body, sentence) => {
    const push = () => createFrameDecoder().push(body)
    expect(push).toThrow(
      expect.objectContaining({ code: 'PROTOCOL_MISMATCH', message: expect.stringContaining(sentence) }),
    )
  })

  test('an event longer than allowed', () => {
    const decoder = createFrameDecoder({ maxEventBytes: 50 })
    expect(() => decoder.push(`id: a.1\nevent: custom\ndata: {"x":"${'x'.repeat(100)}"}\n\n`)).toThrow(
      expect.objectContaining({ code: 'LIMIT_EXCEEDED' }),
    )
  })

  test('any bytes give frames or a typed error', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array()), (pieces) => {
        const decoder = createFrameDecoder()
        const outcome = (): unknown => {
          try {
            return pieces.flatMap((piece) => decoder.push(piece))
          } catch (error) {
            return error
          }
        }
        expect([Array, RivuletError]).toContain((outcome() as object).constructor)
      }),
    )
  })

  test('hostile keys change no prototype', () => {
    const [decoded] = decodeAll(['id: a.1\nevent: custom\ndata: {"__proto__":{"polluted":1},"run":"r"}\n\n'])
    expect(decoded).toMatchObject({ type: 'events' })
    expect(({} as { polluted?: number }).polluted).toBeUndefined()
  })
})
