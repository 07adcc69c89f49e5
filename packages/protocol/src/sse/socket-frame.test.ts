import { expect, test } from 'vitest'
import type { RivuletEvent } from '../events/event.ts'
import { createBlockReader } from './block-reader.ts'
import { encodeSocketFatal, encodeSocketFrame, wireState } from './encode-frame.ts'

const start: RivuletEvent = { type: 'run.start', run: 'r', protocol: 1, seq: 3 }
const delta: RivuletEvent = { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 0, text: 'é"\n', seq: 4 }

/** Reads a frame of a WebSocket's as a client does. */
function read(text: string, readBlock = createBlockReader()): unknown {
  const { id, event, data } = JSON.parse(text)
  return readBlock(event, id, data)
}

test('events over a WebSocket are read as they were written, one by one and in batches', () => {
  const wire = wireState()
  const reader = createBlockReader()
  const frames = [[start], [delta], [start, delta].map((event, i) => ({ ...event, seq: 5 + i }))]
  for (const events of frames) {
    const text = encodeSocketFrame({ type: 'events', log: 'log', events }, wire)
    expect(read(text, reader)).toEqual({ type: 'events', log: 'log', events })
  }
  expect(encodeSocketFrame({ type: 'events', log: 'log', events: [] }, wire)).toBe('')
})

test('heartbeats and hints are objects of their own', () => {
  expect(JSON.parse(encodeSocketFrame({ type: 'at', log: 'log', seq: 7 }, wireState()))).toEqual({ at: 'log.7' })
  expect(JSON.parse(encodeSocketFrame({ type: 'retry', delayMs: 10 }, wireState()))).toEqual({ retry: 10 })
})

test('what ends the stream for this reader alone has no id, and is thrown', () => {
  const text = encodeSocketFatal({ code: 'SLOW_CONSUMER', message: 'too slow' })
  expect(JSON.parse(text)).not.toHaveProperty('id')
  expect(() => read(text)).toThrow(expect.objectContaining({ code: 'SLOW_CONSUMER' }))
})

test.each(['', 'log', 'log.', 'log.x', 'log.1x', `log.${'9'.repeat(20)}`, 'a b.1'])(
  'a block under %j, which is no cursor, is another protocol',
  (id) => {
    const reader = createBlockReader()
    const data = { run: 'r', protocol: 1 }
    reader('run.start', 'log.1', data)
    expect(() => reader('run.start', id, data)).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISMATCH' }))
  },
)

test('cursors of another log take over where they come', () => {
  const reader = createBlockReader()
  const data = { run: 'r', protocol: 1 }
  reader('run.start', 'log.1', { ...data })
  expect(reader('run.start', 'other.9', { ...data })).toMatchObject({ log: 'other', events: [{ seq: 9 }] })
})
