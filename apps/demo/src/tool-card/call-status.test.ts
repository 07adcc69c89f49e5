import { expect, test } from 'vitest'
import { callStatus } from './call-status.ts'

test('a call that nobody has heard of waits while its run is under way', () => {
  expect(callStatus(undefined, 'running')).toBe('pending')
  expect(callStatus(undefined, 'interrupted')).toBe('pending')
})

test('a call that never began does not wait for ever in a run that failed, ended or is forgotten', () => {
  for (const outcome of ['error', 'cancelled', 'done', undefined]) expect(callStatus(undefined, outcome)).toBe('cut')
})

test('what a call came to is not changed by the end of its run', () => {
  for (const status of ['done', 'error', 'cut'] as const) {
    expect(callStatus({ status, error: undefined }, 'error')).toBe(status)
  }
})

test('a call that was stopped did not fail', () => {
  const error = { code: 'CANCELLED', message: 'the run was cancelled' } as const
  expect(callStatus({ status: 'error', error }, 'cancelled')).toBe('cut')
  expect(callStatus({ status: 'error', error: { ...error, code: 'NODE_FAILED' } }, 'done')).toBe('error')
})
