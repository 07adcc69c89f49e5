import { expect, test } from 'vitest'
import { callStatus } from './call-status.ts'

test('a call that nobody has heard of waits while its run is under way', () => {
  expect(callStatus(undefined, 'running')).toBe('pending')
  expect(callStatus('pending', 'interrupted')).toBe('pending')
})

test('a call that never began does not wait for ever in a run that failed, ended or is forgotten', () => {
  for (const outcome of ['error', 'cancelled', 'done', undefined]) expect(callStatus('pending', outcome)).toBe('cut')
})

test('what a call came to is not changed by the end of its run', () => {
  for (const status of ['done', 'error', 'cut'] as const) expect(callStatus(status, 'error')).toBe(status)
})
