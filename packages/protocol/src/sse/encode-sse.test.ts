import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RivuletError } from '../errors.ts'
import { createSseDecoder, type SseEvent } from './decode-sse.ts'
import { encodeSse } from './encode-sse.ts'

interface Decoded {
  events: SseEvent[]
  comments: string[]
  retries: number[]
}

function decode(text: string): Decoded {
  const decoded: Decoded = { events: [], comments: [], retries: [] }
  createSseDecoder({
    onEvent: (event) => decoded.events.push(event),
    onComment: (comment) => decoded.comments.push(comment),
    onRetry: (delayMs) => decoded.retries.push(delayMs),
  }).push(text)
  return decoded
}

/** Text with a liking for what ends lines and fields. */
const hostile = fc.string({
  unit: fc.oneof(fc.constantFrom('\n', '\r', '\0', ':', ' ', 'id: 1', 'data: x', '\uFEFF', '😀'), fc.string()),
})

describe('a block', () => {
  test('names its id before its event before its data', () => {
    expect(encodeSse({ data: 'x', event: 'tick', id: '7' })).toBe('id: 7\nevent: tick\ndata: x\n\n')
  })

  test('lines of data stay lines of data', () => {
    expect(encodeSse({ data: 'a\nb\r\nc\rd' })).toBe('data: a\ndata: b\ndata: c\ndata: d\n\n')
  })

  test('lines of a comment stay a comment', () => {
    expect(encodeSse({ comment: 'a\nevent: forged\ndata: x' })).toBe(': a\n: event: forged\n: data: x\n\n')
  })

  test('a reconnection time is a block of its own', () => {
    expect(encodeSse({ retry: 1500 })).toBe('retry: 1500\n\n')
  })

  test.each([-1, 1.5, NaN, Infinity])('a reconnection time of %d is refused', (retry) => {
    expect(() => encodeSse({ retry })).toThrow('retry must be a whole number of milliseconds')
  })

  test.each(['\n', '\r', '\0'])('an id or event with %j is refused', (end) => {
    expect(() => encodeSse({ id: `1${end}data: x`, data: '' })).toThrow(RivuletError)
    expect(() => encodeSse({ event: `a${end}data: x`, data: '' })).toThrow(RivuletError)
  })
})

describe('whatever is in a field', () => {
  test('data arrives as one event with that text, its line ends as LF', () => {
    fc.assert(
      fc.property(hostile, (data) => {
        expect(decode(encodeSse({ event: 'x', data })).events).toEqual([
          { event: 'x', id: undefined, data: data.replace(/\r\n|\r/g, '\n') },
        ])
      }),
    )
  })

  test('an id or event on one line arrives as it is', () => {
    const line = hostile.map((text) => text.replace(/[\r\n\0]/g, ''))
    fc.assert(
      fc.property(line, line, (id, event) => {
        expect(decode(encodeSse({ id, event, data: 'x' })).events).toEqual([
          { id, event: event === '' ? 'message' : event, data: 'x' },
        ])
      }),
    )
  })

  test('an id or event on several lines is refused, whatever stands on them', () => {
    fc.assert(
      fc.property(hostile, fc.constantFrom('\n', '\r', '\0', '\r\n'), hostile, (before, end, after) => {
        expect(() => encodeSse({ id: before + end + after, data: 'x' })).toThrow(RivuletError)
        expect(() => encodeSse({ event: before + end + after, data: 'x' })).toThrow(RivuletError)
      }),
    )
  })

  test('a comment never becomes an event', () => {
    fc.assert(
      fc.property(hostile, (comment) => {
        const decoded = decode(encodeSse({ comment }) + encodeSse({ event: 'x', data: 'y' }))
        expect(decoded.events).toEqual([{ event: 'x', id: undefined, data: 'y' }])
        expect(decoded.comments.join('\n')).toBe(comment.replace(/\r\n|\r/g, '\n'))
      }),
    )
  })
})
