import type { RivuletEvent } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { settled } from '../../test/fake-timing.ts'
import { watchRun, type RunResult } from './run-handle.ts'

const done: RunResult = { status: 'done', values: {}, interrupts: [], error: undefined }
const token = (seq: number): RivuletEvent => ({ type: 'custom', run: 'r1', data: seq, seq })

function watched() {
  return watchRun('r1', () => Promise.resolve())
}

async function seqs(events: AsyncIterable<RivuletEvent>, enough = Infinity): Promise<number[]> {
  const seen: number[] = []
  for await (const event of events) {
    seen.push(event.seq)
    if (seen.length === enough) break
  }
  return seen
}

test('a loop gets every event and ends with the run', async () => {
  const watch = watched()
  const seen = seqs(watch.handle)
  watch.push(token(1))
  await settled()
  watch.push(token(2))
  watch.push(token(3))
  watch.finish(done)
  expect(await seen).toEqual([1, 2, 3])
  expect(await watch.handle.result).toBe(done)
})

test('two loops get the same events', async () => {
  const watch = watched()
  const both = Promise.all([seqs(watch.handle), seqs(watch.handle)])
  watch.push(token(1))
  watch.finish(done)
  expect(await both).toEqual([[1], [1]])
})

test('leaving a loop only stops watching', async () => {
  const watch = watched()
  const seen = seqs(watch.handle, 1)
  watch.push(token(1))
  watch.push(token(2))
  expect(await seen).toEqual([1])
  expect(watch.isOver).toBe(false)
  watch.finish(done)
  expect(await watch.handle.result).toBe(done)
})

test('a loop over a run that is over ends at once', async () => {
  const watch = watched()
  watch.finish(done)
  expect(await seqs(watch.handle)).toEqual([])
})

test('what ended stays as it ended', async () => {
  const watch = watched()
  watch.finish(done)
  watch.finish({ ...done, status: 'error' })
  expect((await watch.handle.result).status).toBe('done')
})

test('several waits at once are served in order', async () => {
  const watch = watched()
  const iterator = watch.handle[Symbol.asyncIterator]()
  const three = Promise.all([iterator.next(), iterator.next(), iterator.next()])
  watch.push(token(1))
  watch.push(token(2))
  watch.finish(done)
  expect((await three).map(({ done, value }) => (done ? 'end' : value.seq))).toEqual([1, 2, 'end'])
})

test('a loop that falls too far behind is told so', async () => {
  const watch = watched()
  const iterator = watch.handle[Symbol.asyncIterator]()
  for (let seq = 1; seq <= 10_001; seq++) watch.push(token(seq))
  await expect(iterator.next()).rejects.toMatchObject({ code: 'SLOW_CONSUMER' })
  expect(await iterator.next()).toEqual({ done: true, value: undefined })
})

test('a loop that keeps up may see any number of events', async () => {
  const watch = watched()
  const iterator = watch.handle[Symbol.asyncIterator]()
  let sum = 0
  for (let seq = 1; seq <= 30_000; seq++) {
    watch.push(token(seq))
    if (seq > 5000) sum += ((await iterator.next()).value as RivuletEvent).seq
  }
  expect(sum).toBe((25_000 * 25_001) / 2)
})
