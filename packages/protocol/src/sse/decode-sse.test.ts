import { describe, expect, test } from 'vitest'
import { createSseDecoder } from './decode-sse.ts'

/** What one body means, however it is cut: events as `name:data:id`, comments, and the last id. */
function read(pieces: readonly (Uint8Array | string)[]): { events: string[]; comments: string[]; lastEventId: string } {
  const events: string[] = []
  const comments: string[] = []
  const decoder = createSseDecoder({
    onEvent: ({ event, data, id }) => events.push(`${event}:${data}:${id ?? '-'}`),
    onComment: (comment) => comments.push(comment),
  })
  for (const piece of pieces) decoder.push(piece)
  return { events, comments, lastEventId: decoder.lastEventId() }
}

/** The body cut in two at every byte, and into single bytes. */
function cuts(body: string): Uint8Array[][] {
  const bytes = new TextEncoder().encode(body)
  const inTwo = Array.from({ length: bytes.length + 1 }, (_, i) => [bytes.subarray(0, i), bytes.subarray(i)])
  return [...inTwo, Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))]
}

describe('however the body is cut', () => {
  test.each<[string, string, string[]]>([
    ['LF', 'event: a\ndata: 1\n\ndata: 2\n\n', ['a:1:-', 'message:2:-']],
    ['CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n', ['a:1:-', 'message:2:-']],
    ['CR', 'event: a\rdata: 1\r\rdata: 2\r\r', ['a:1:-', 'message:2:-']],
    ['one BOM', '\uFEFFdata: 1\n\n', ['message:1:-']],
    ['a BOM that is data', '\uFEFFdata: \uFEFF1\n\n', ['message:\uFEFF1:-']],
    ['a second BOM, which spoils its line', '\uFEFF\uFEFFdata: 1\n\ndata: 2\n\n', ['message:2:-']],
    ['several data lines', 'data: a\ndata:\ndata:  b\n\n', ['message:a\n\n b:-']],
    ['a field without colon', 'data\n\nevent\ndata: 1\n\n', ['message::-', 'message:1:-']],
    ['no space after the colon', 'event:a\ndata:1\nid:7\n\n', ['a:1:7']],
    ['comments between', ': one\ndata: 1\n: two\ndata: 2\n\n', ['message:1\n2:-']],
    ['unknown fields', 'foo: bar\ndata: 1\nfoo\n\n', ['message:1:-']],
    ['an id with NUL', 'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n', ['message:a:1', 'message:b:-']],
    ['id after data', 'data: a\nid: 9\n\n', ['message:a:9']],
    ['characters of two to four bytes', 'data: é€😀\n\n', ['message:é€😀:-']],
    ['half an event at the end', 'data: 1\n\nid: 2\ndata: 2\n', ['message:1:-']],
    ['a line without its end', 'data: 1\n\ndata: 2', ['message:1:-']],
    ['blocks without data', 'event: a\n\nid: 3\n\ndata: 1\n\n', ['message:1:-']],
  ])('%s', (_name, body, events) => {
    for (const pieces of cuts(body)) expect(read(pieces).events).toEqual(events)
  })

  test('comments arrive as lines', () => {
    for (const pieces of cuts(': at x.1\n\n:two\n\n')) expect(read(pieces).comments).toEqual(['at x.1', 'two'])
  })

  test('the last id stays over blocks without one and ends with an empty one', () => {
    expect(read(['id: 1\ndata: a\n\ndata: b\n\n']).lastEventId).toBe('1')
    expect(read(['id: 1\n\n']).lastEventId).toBe('1')
    expect(read(['id: 1\ndata: a\n\nid\ndata: b\n\n']).lastEventId).toBe('')
    expect(read(['id: 1\ndata: a\n\nid: 2\ndata: b\n']).lastEventId).toBe('1')
  })
})

describe('bytes that are no text', () => {
  test('become replacement characters and end no stream', () => {
    const bytes = Uint8Array.of(...new TextEncoder().encode('data: a'), 0xff, ...new TextEncoder().encode('b\n\n'))
    expect(read([bytes]).events).toEqual(['message:a\uFFFDb:-'])
  })
})

describe('an event that is too long is a typed error', () => {
  const decoder = () => createSseDecoder({ onEvent: () => undefined, onComment: () => undefined, maxEventBytes: 100 })
  const refused = 'an event of the stream is longer than 100 characters'

  test('in one piece', () => {
    expect(() => decoder().push(`data: ${'x'.repeat(101)}\n\n`)).toThrow(refused)
  })

  test('as a line that never ends', () => {
    const endless = decoder()
    endless.push('data: ')
    const feed = () => {
      for (let i = 0; i < 200; i++) endless.push('x')
    }
    expect(feed).toThrow(refused)
  })

  test('as lines that never end an event', () => {
    const endless = decoder()
    const feed = () => {
      for (let i = 0; i < 200; i++) endless.push('data: x\n')
    }
    expect(feed).toThrow(refused)
  })

  test('as a comment that never ends', () => {
    const endless = decoder()
    const feed = () => {
      for (let i = 0; i < 200; i++) endless.push(':')
    }
    expect(feed).toThrow(refused)
  })

  test('and one of that length is taken', () => {
    expect(() => decoder().push(`data: ${'x'.repeat(100)}\n\n`)).not.toThrow()
  })
})
