import { expect, test } from 'vitest'
import { errorOfResponse, retryAfterOf } from './http-error.ts'

const epochMs = Date.parse('2026-11-21T12:00:00Z')

test.each<[string | undefined, number | undefined]>([
  [undefined, undefined],
  ['0', 0],
  ['7', 7000],
  ['Sat, 21 Nov 2026 12:01:00 GMT', 60_000],
  ['Sat, 21 Nov 2026 11:00:00 GMT', 0],
  ['soon', undefined],
])('a retry-after of %s is a wait of %s ms', (value, delayMs) => {
  const response = new Response('', { headers: value === undefined ? {} : { 'retry-after': value } })
  expect(retryAfterOf(response, epochMs)).toBe(delayMs)
})

test.each([
  'null',
  '{}',
  '{"error":"a word"}',
  '{"error":{"code":"NOT_FOUND"}}',
  '{"error":{"code":1,"message":2}}',
  'no JSON',
])('a body that is no error of ours leaves the status to tell: %s', async (body) => {
  const error = await errorOfResponse(new Response(body, { status: 403 }))
  expect(error).toMatchObject({ code: 'FORBIDDEN', message: 'the server answered 403' })
})

test('an error names the address without its query', async () => {
  const response = new Response('', { status: 404 })
  Object.defineProperty(response, 'url', { value: 'https://example.test/v1/x?token=secret#part' })
  expect((await errorOfResponse(response)).message).toBe('https://example.test/v1/x answered 404')
})
