import { describe, expect, test } from 'vitest'
import { createSseDecoder } from './decode-sse.ts'

/** What one body means, however it is cut. */
interface Meaning {
  /** As `name:data:id`, the id of its own block. */
  events: string[]
  comments: string[]
  /** Reconnection times in ms. */
  retries: number[]
  /** The id that a browser would send when it reconnects. */
  lastEventId: string
}

function read(pieces: readonly (Uint8Array | string)[]): Meaning {
  const events: string[] = []
  const comments: string[] = []
  const retries: number[] = []
  const decoder = createSseDecoder({
    onEvent: ({ event, data, id }) => events.push(`${event}:${data}:${id ?? '-'}`),
    onComment: (comment) => comments.push(comment),
    onRetry: (delayMs) => retries.push(delayMs),
  })
  for (const piece of pieces) decoder.push(piece)
  return { events, comments, retries, lastEventId: decoder.lastEventId() }
}

/** The body whole, cut in two at every byte, and in single bytes. */
function cuts(body: string): Uint8Array[][] {
  const bytes = new TextEncoder().encode(body)
  const inTwo = Array.from({ length: bytes.length + 1 }, (_, i) => [bytes.subarray(0, i), bytes.subarray(i)])
  return [[bytes], ...inTwo, Array.from(bytes, (_, i) => bytes.subarray(i, i + 1))]
}

const BOM = '\uFEFF'

/** The cases of the HTML standard, section 9.2.6, by what they are about. */
const cases: [about: string, body: string, events: string[], more?: Partial<Meaning>][] = [
  ['lines that end with LF', 'event: a\ndata: 1\n\ndata: 2\n\n', ['a:1:-', 'message:2:-']],
  ['lines that end with CRLF', 'event: a\r\ndata: 1\r\n\r\ndata: 2\r\n\r\n', ['a:1:-', 'message:2:-']],
  ['lines that end with CR', 'event: a\rdata: 1\r\rdata: 2\r\r', ['a:1:-', 'message:2:-']],
  [
    'line ends of all three kinds',
    'data: 1\r\ndata: 2\ndata: 3\r\r\ndata: 4\n\r\n',
    ['message:1\n2\n3:-', 'message:4:-'],
  ],
  ['a body of nothing but line ends', '\n\r\r\n\n\r\n', []],
  ['a BOM, which is left out', `${BOM}data: 1\n\n`, ['message:1:-']],
  ['a BOM that is data', `${BOM}data: ${BOM}1\n\n`, [`message:${BOM}1:-`]],
  ['a second BOM, which spoils its line', `${BOM}${BOM}data: 1\n\ndata: 2\n\n`, ['message:2:-']],
  [
    'a BOM that comes later, which spoils its line',
    `data: 1\n\n${BOM}data: 2\n\ndata: 3\n\n`,
    ['message:1:-', 'message:3:-'],
  ],
  ['a BOM and nothing else', BOM, []],
  ['several data lines', 'data: a\ndata:\ndata:  b\n\n', ['message:a\n\n b:-']],
  ['empty data', 'data:\n\ndata: \n\ndata\ndata\n\n', ['message::-', 'message::-', 'message:\n:-']],
  ['no data at all', 'event: a\n\nid: 3\n\ndata: 1\n\n', ['message:1:-'], { lastEventId: '3' }],
  ['a name for one event only', 'event: a\ndata: 1\n\ndata: 2\n\n', ['a:1:-', 'message:2:-']],
  ['an empty name', 'event:\ndata: 1\n\nevent: \ndata: 2\n\n', ['message:1:-', 'message:2:-']],
  ['two names, of which the last counts', 'event: a\nevent: b\ndata: 1\n\n', ['b:1:-']],
  ['a name that its block gives back', 'event: a\nevent:\ndata: 1\n\n', ['message:1:-']],
  ['a name behind its data', 'data: 1\nevent: a\n\n', ['a:1:-']],
  ['a field without a colon', 'data\n\nevent\ndata: 1\n\n', ['message::-', 'message:1:-']],
  ['no space behind the colon', 'event:a\ndata:1\nid:7\n\n', ['a:1:7'], { lastEventId: '7' }],
  ['two spaces behind the colon, of which one is data', 'data:  1\n\n', ['message: 1:-']],
  ['a tab behind the colon, which is data', 'data:\t1\n\n', ['message:\t1:-']],
  ['a space before the field, which makes it another', ' data: 1\n\ndata: 2\n\n', ['message:2:-']],
  ['a space before the colon, which makes it another', 'data : 1\n\ndata: 2\n\n', ['message:2:-']],
  ['colons in data', 'data: a:b:c\ndata::\n\n', ['message:a:b:c\n::-']],
  ['names in capitals, which are others', 'Data: 1\nEVENT: a\n\ndata: 2\n\n', ['message:2:-']],
  ['unknown fields', 'foo: bar\ndata: 1\nfoo\n\n', ['message:1:-']],
  ['comments', ': one\ndata: 1\n:two\ndata: 2\n:\n\n', ['message:1\n2:-'], { comments: ['one', 'two', ''] }],
  [
    'an id that stays over blocks without one',
    'id: 1\ndata: a\n\ndata: b\n\n',
    ['message:a:1', 'message:b:-'],
    { lastEventId: '1' },
  ],
  [
    'an empty id, which takes it back',
    'id: 1\ndata: a\n\nid\ndata: b\n\n',
    ['message:a:1', 'message:b:'],
    { lastEventId: '' },
  ],
  ['two ids, of which the last counts', 'id: 1\nid: 2\ndata: a\n\n', ['message:a:2'], { lastEventId: '2' }],
  [
    'an id with NUL, which is none',
    'id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n',
    ['message:a:1', 'message:b:-'],
    { lastEventId: '1' },
  ],
  ['an id behind its data', 'data: a\nid: 9\n\n', ['message:a:9'], { lastEventId: '9' }],
  [
    'an id of half an event, which does not count',
    'id: 1\ndata: a\n\nid: 2\ndata: b\n',
    ['message:a:1'],
    { lastEventId: '1' },
  ],
  ['NUL in data and names', 'event: a\0\ndata: 1\0\n\n', ['a\0:1\0:-']],
  ['a time to reconnect', 'retry: 250\n\ndata: 1\n\nretry:010\n\n', ['message:1:-'], { retries: [250, 10] }],
  [
    'a time that is not of digits, which is none',
    'retry: 1000x\nretry: -1\nretry: 1.5\nretry: 0x10\nretry: 1 \ndata: 1\n\n',
    ['message:1:-'],
  ],
  ['an empty time, which is none', 'retry:\nretry\ndata: 1\n\n', ['message:1:-']],
  ['half an event at the end', 'data: 1\n\nid: 2\ndata: 2\n', ['message:1:-']],
  ['a line without its end', 'data: 1\n\ndata: 2', ['message:1:-']],
  ['a last line end of CR alone', 'data: 1\r\r', ['message:1:-']],
  ['characters of two to four bytes', 'data: é€😀\n\n', ['message:é€😀:-']],
  [
    'separators that end no line here',
    'data: a\u0085b\u2028c\u2029d\vf\fg\n\n',
    ['message:a\u0085b\u2028c\u2029d\vf\fg:-'],
  ],
]

describe('however the body is cut, it says the same', () => {
  test.each(cases)('%s', (_about, body, events, more = {}) => {
    const meaning = { comments: [], retries: [], lastEventId: '', ...more, events }
    for (const pieces of cuts(body)) expect(read(pieces)).toEqual(meaning)
  })

  test('comments arrive as lines', () => {
    for (const pieces of cuts(': at x.1\n\n:two\n\n')) expect(read(pieces).comments).toEqual(['at x.1', 'two'])
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
