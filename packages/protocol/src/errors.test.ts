import { expect, test } from 'vitest'
import { errorFromWire, messageOfThrown, RivuletError, toRivuletError } from './errors.ts'
import { isStreamMode } from './modes.ts'

test('whatever was thrown has a sentence', () => {
  const mute = {
    toString: () => {
      throw new Error('no')
    },
  }
  expect(messageOfThrown(new Error('an error'))).toBe('an error')
  expect(messageOfThrown('a text')).toBe('a text')
  expect(messageOfThrown(7)).toBe('7')
  expect(messageOfThrown(undefined)).toBe('undefined')
  expect(messageOfThrown(mute)).toBe('a value that cannot be described was thrown')
})

test('an error of ours stays itself, and any other is the cause of one', () => {
  const ours = new RivuletError('NOT_FOUND', 'not here')
  expect(toRivuletError(ours, 'INTERNAL')).toBe(ours)
  const thrown = new TypeError('broken')
  expect(toRivuletError(thrown)).toMatchObject({ code: 'INTERNAL', message: 'broken', cause: thrown, retryable: false })
  expect(toRivuletError('late', 'DISCONNECTED', { retryable: true, run: 'r' })).toMatchObject({
    code: 'DISCONNECTED',
    retryable: true,
    run: 'r',
  })
})

test('an error crosses the wire with its code and without its stack', () => {
  const error = new RivuletError('NODE_FAILED', 'no luck', { retryable: true, run: 'r', node: 'n', cause: 'secret' })
  const wire = JSON.parse(JSON.stringify(error))
  expect(wire).toEqual({ code: 'NODE_FAILED', message: 'no luck', retryable: true, run: 'r', node: 'n' })
  expect(errorFromWire(wire)).toMatchObject({ code: 'NODE_FAILED', message: 'no luck', run: 'r', node: 'n' })
})

test('a code of a later version is read as one of ours', () => {
  // As a later server would send it.
  const wire = { code: 'TOO_CLEVER', message: 'what?' } as unknown as Parameters<typeof errorFromWire>[0]
  expect(errorFromWire(wire)).toMatchObject({ code: 'INTERNAL' })
})

test('a stream mode is one of those there are', () => {
  expect(['values', 'debug', 'all', 7, undefined].map(isStreamMode)).toEqual([true, true, false, false, false])
})
