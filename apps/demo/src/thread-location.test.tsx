// @vitest-environment jsdom
import { act, cleanup, renderHook } from '@testing-library/react'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { goToThread, threadHref, useThreadLocation } from './thread-location.ts'

beforeEach(() => history.replaceState(null, '', '/'))
afterEach(cleanup)

test('the address names the thread, and going to another is seen', () => {
  const { result } = renderHook(useThreadLocation)
  expect(result.current).toBeUndefined()
  act(() => goToThread('a b'))
  expect(result.current).toBe('a b')
  expect(location.search).toBe('?thread=a+b')
  act(() => goToThread(undefined))
  expect(result.current).toBeUndefined()
})

test('a new chat that gets its id leaves no step to go back to', () => {
  const before = history.length
  goToThread('a', { replace: true })
  expect(history.length).toBe(before)
  goToThread('b')
  expect(history.length).toBe(before + 1)
})

test('going where one is changes nothing', () => {
  goToThread('a')
  const before = history.length
  goToThread('a')
  expect(history.length).toBe(before)
})

test('going back in the browser is seen', () => {
  const { result } = renderHook(useThreadLocation)
  act(() => goToThread('a'))
  act(() => {
    history.replaceState(null, '', '/?thread=b')
    window.dispatchEvent(new PopStateEvent('popstate'))
  })
  expect(result.current).toBe('b')
})

test('any id survives the address', () => {
  expect(new URL(threadHref('ä&=?#/ '), 'http://x').searchParams.get('thread')).toBe('ä&=?#/ ')
})
