import type { OpenRequest, Transport } from '@rivulet/client'
import { RivuletError, type Frame } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { keepingTransport, unsentStarts } from './unsent-starts.ts'

/** As a browser's, of so many characters. */
function storageOf(room = 1000): Storage {
  const items = new Map<string, string>()
  return {
    get length() {
      return items.size
    },
    key: (index) => [...items.keys()][index] ?? null,
    clear: () => items.clear(),
    getItem: (key) => items.get(key) ?? null,
    removeItem: (key) => void items.delete(key),
    setItem(key, value) {
      if (value.length > room) throw new DOMException('full', 'QuotaExceededError')
      items.set(key, value)
    },
  }
}

const start = { run: 'r1', graph: 'agent', input: { messages: [{ id: 'm1', role: 'user', content: '6 * 7' }] } }
const request: OpenRequest = { thread: 't', start }
const kept = { run: start.run, input: start.input }
const at: Frame = { type: 'at', log: 'l', seq: 1 }

/** A transport that runs `answer` for each request, over starts that are kept. */
function setUp(answer: () => AsyncIterable<Frame>) {
  const unsent = unsentStarts(storageOf())
  const transport = keepingTransport({ open: answer } satisfies Transport, unsent)
  const controller = new AbortController()
  const open = () => transport.open(request, { signal: controller.signal, after: undefined })[Symbol.asyncIterator]()
  return { unsent, open, controller }
}

async function* answerOf(...steps: (Frame | Error)[]): AsyncGenerator<Frame> {
  for (const step of steps) {
    if (step instanceof Error) throw step
    yield step
  }
}

test('a start is kept until the server has answered it', async () => {
  const during: unknown[] = []
  const { unsent, open } = setUp(async function* () {
    during.push(unsent.of('t'))
    yield { type: 'retry', delayMs: 5 }
    during.push(unsent.of('t'))
    yield at
  })
  const frames = open()
  await frames.next()
  await frames.next()
  expect(during).toEqual([kept, kept])
  expect(unsent.of('t')).toBeUndefined()
})

test('a start that did not get through is kept', async () => {
  const { unsent, open } = setUp(() => answerOf(new TypeError('Failed to fetch')))
  await expect(open().next()).rejects.toThrow('Failed to fetch')
  expect(unsent.of('t')).toEqual(kept)
})

test('a start that was refused is not', async () => {
  const { unsent, open } = setUp(() => answerOf(new RivuletError('INVALID_INPUT', 'no such field')))
  await expect(open().next()).rejects.toThrow('no such field')
  expect(unsent.of('t')).toBeUndefined()
})

test('a start that the person stopped is not', async () => {
  const { unsent, open, controller } = setUp(async function* () {
    controller.abort()
    yield* answerOf(new RivuletError('DISCONNECTED', 'aborted', { retryable: true }))
  })
  await expect(open().next()).rejects.toThrow('aborted')
  expect(unsent.of('t')).toBeUndefined()
})

test('reading keeps nothing, and drops nothing', async () => {
  const { unsent, open } = setUp(() => answerOf(new TypeError('Failed to fetch')))
  await open()
    .next()
    .catch(() => {})
  const reading = keepingTransport({ open: () => answerOf(at) }, unsent)
  const options = { signal: new AbortController().signal, after: undefined }
  for await (const _ of reading.open({ thread: 't' }, options)) expect(unsent.of('t')).toEqual(kept)
})

test('what does not fit is not kept, nor what was kept before it', () => {
  const unsent = unsentStarts(storageOf(100))
  unsent.keep('t', { run: 'r1', graph: 'agent', input: 'short' })
  unsent.keep('t', { run: 'r2', graph: 'agent', input: 'x'.repeat(200) })
  expect(unsent.of('t')).toBeUndefined()
})

test('what somebody else wrote there is no start', () => {
  const storage = storageOf()
  for (const text of ['', '{', '7', '{"run":7}']) {
    storage.setItem('unsent-start:t', text)
    expect(unsentStarts(storage).of('t')).toBeUndefined()
  }
})
