import { emptyState, foldAll, type Message } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { chatRun, stamped } from '../../test/pump.ts'
import { layOver, markFailed, send, settleOutbox, withdraw, type ShownMessage } from './outbox.ts'

const user = (id: string): Message => ({ id, role: 'user', content: id })
const idOf = ({ id }: ShownMessage) => id
const laidOver = (list: readonly ShownMessage[], outbox: ReturnType<typeof send>) => layOver(list, outbox)
const run = chatRun('r1', { id: 'u1', content: 'hi' }, ['yes'])

test('messages on their way stand below what they were written below', () => {
  const outbox = send([], 'r1', [user('u1'), user('u2')], 'a')
  expect(laidOver([user('a')], outbox).map(idOf)).toEqual(['a', 'u1', 'u2'])
  expect(laidOver([user('a'), user('later')], outbox).map(idOf)).toEqual(['a', 'u1', 'u2', 'later'])
})

test('a first message stands at the start, one in a list nobody knows yet at the end', () => {
  expect(laidOver([user('later')], send([], 'r1', [user('u1')], null)).map(idOf)).toEqual(['u1', 'later'])
  expect(laidOver([user('old')], send([], 'r1', [user('u1')], undefined)).map(idOf)).toEqual(['old', 'u1'])
})

test('the same list and outbox give the same array', () => {
  const list = [user('a')]
  const outbox = send([], 'r1', [user('u1')], 'a')
  expect(laidOver(list, outbox)).toBe(laidOver(list, outbox))
  expect(laidOver(list, [])).toBe(list)
  expect(laidOver(list, markFailed(outbox, 'r1'))).not.toBe(laidOver(list, outbox))
})

test('a message says whether it is being sent or has failed', () => {
  const outbox = send([], 'r1', [user('u1')], null)
  expect(outbox[0]?.message).toEqual({ ...user('u1'), delivery: 'sending' })
  expect(markFailed(outbox, 'r1')[0]?.message).toEqual({ ...user('u1'), delivery: 'failed' })
  expect(markFailed(outbox, 'another run')).toBe(outbox)
})

test('a message sent again keeps its place', () => {
  const failed = markFailed(send([], 'r1', [user('u1')], 'a'), 'r1')
  const again = send(failed, 'r2', [user('u1')], 'z')
  expect(again).toEqual([{ run: 'r2', below: 'a', message: { ...user('u1'), delivery: 'sending' } }])
})

test('a message goes once the thread has it', () => {
  const outbox = send([], 'r1', [user('u1'), user('u2')], null)
  const begun = foldAll(emptyState(), stamped(run.slice(0, 1)))
  expect(settleOutbox(outbox, begun)).toBe(outbox)
  const received = foldAll(emptyState(), stamped(run.slice(0, 2)))
  expect(settleOutbox(outbox, received).map(({ message }) => message.id)).toEqual(['u2'])
})

test('what a run left behind goes with its end, and stays as failed when it failed', () => {
  const outbox = send([], 'r1', [user('other')], null)
  expect(settleOutbox(outbox, foldAll(emptyState(), stamped(run)))).toEqual([])
  const failed = foldAll(emptyState(), stamped([run[0]!, { type: 'run.end', run: 'r1', status: 'error' }]))
  const marked = settleOutbox(outbox, failed)
  expect(marked[0]?.message.delivery).toBe('failed')
  expect(settleOutbox(marked, failed)).toBe(marked)
})

test('the messages of one run can be taken back', () => {
  const outbox = send(send([], 'r1', [user('u1')], null), 'r2', [user('u2')], 'u1')
  expect(withdraw(outbox, 'r1').map(({ message }) => message.id)).toEqual(['u2'])
  expect(withdraw(outbox, 'r3')).toBe(outbox)
})
