import { RivuletError } from '@rivulet/protocol'
import { APIConnectionError, APIConnectionTimeoutError, APIError, APIUserAbortError } from 'openai'
import { describe, expect, test } from 'vitest'
import { isConnectionFailure, mayPass, retryAfterOf } from './failure.ts'

const now = Date.UTC(2026, 0, 1)
const statusError = (status: number, headers: Record<string, string> = {}, body: object = {}) =>
  APIError.generate(status, { error: body }, undefined, new Headers(headers))

describe('what may be tried again', () => {
  test.each([408, 409, 425, 429, 500, 502, 503, 529])('status %i', (status) => {
    expect(mayPass(statusError(status))).toBe(true)
    expect(mayPass({ statusCode: status })).toBe(true)
  })

  test.each([
    ['a connection that failed', new APIConnectionError({})],
    ['a connection that took too long', new APIConnectionTimeoutError()],
    ['a fetch that failed', new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } })],
    ['a connection that broke', Object.assign(new Error('read'), { code: 'ECONNRESET' })],
    ['a body that broke', new TypeError('terminated')],
    ['an error of ours that says so', new RivuletError('PROVIDER_FAILED', 'x', { retryable: true })],
    ['an error around one that may', new Error('call failed', { cause: statusError(503) })],
    ['a provider that is overloaded in the middle', { type: 'overloaded_error' }],
    ['a router of models that is told so in the middle', { error: { message: 'x' }, code: 502 }],
    ['a provider that says so', statusError(400, { 'x-should-retry': 'true' })],
    ['a model of the AI SDK that says so', { isRetryable: true }],
  ])('%s', (_what, error) => {
    expect(mayPass(error)).toBe(true)
  })
})

describe('what may not', () => {
  test.each([400, 401, 403, 404, 413, 422])('status %i', (status) => {
    expect(mayPass(statusError(status))).toBe(false)
  })

  test.each([
    ['a stop', new DOMException('stopped', 'AbortError')],
    ['a stop in the words of a package', new APIUserAbortError()],
    ['an error of ours that does not say so', new RivuletError('PROVIDER_FAILED', 'x', { cause: statusError(503) })],
    ['a quota that is used up', statusError(429, {}, { code: 'insufficient_quota' })],
    ['a provider that says so', statusError(503, { 'x-should-retry': 'false' })],
    ['what a router of models was refused', { error: { message: 'x' }, code: 403 }],
    ['an error of unknown kind', new Error('oops')],
    ['a TypeError of the code itself', new TypeError('x is not a function')],
    ['what is no error at all', 'oops'],
    ['nothing', undefined],
  ])('%s', (_what, error) => {
    expect(mayPass(error)).toBe(false)
  })

  test('an error that is its own cause', () => {
    const error = new Error('loop')
    error.cause = error
    expect(mayPass(error)).toBe(false)
  })
})

describe('how long a provider asks to wait', () => {
  test.each([
    [{ 'retry-after': '7' }, 7000],
    [{ 'Retry-After': '0.5' }, 500],
    [{ 'retry-after': new Date(now + 20_000).toUTCString() }, 20_000],
    [{ 'retry-after': new Date(now - 20_000).toUTCString() }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'retry-after': 'soon' }, undefined],
    [{ 'retry-after': '' }, undefined],
    [{}, undefined],
  ])('%j', (headers, expected) => {
    const given = Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined))
    expect(retryAfterOf(statusError(429, given), now)).toBe(expected)
    expect(retryAfterOf({ responseHeaders: given }, now)).toBe(expected)
    expect(retryAfterOf(new Error('outer', { cause: { response: { headers: given } } }), now)).toBe(expected)
  })
})

test('the network is what failed, or it is not', () => {
  const broken = new Error('call failed', { cause: Object.assign(new Error('read'), { code: 'ECONNRESET' }) })
  expect([new APIConnectionError({}), broken, new Error('Connection error.')].map(isConnectionFailure)).toEqual([
    true,
    true,
    true,
  ])
  expect([statusError(503), new Error('oops'), undefined].map(isConnectionFailure)).toEqual([false, false, false])
})
