import { expect, test } from 'vitest'
import { findChromium } from './find-chromium.ts'

const { execPath } = process

test('the path in the environment comes before the usual ones', () => {
  expect(findChromium({ CHROMIUM_PATH: execPath }, ['/'])).toBe(execPath)
})

test('a path that leads nowhere gives way to the usual ones', () => {
  expect(findChromium({ CHROMIUM_PATH: '/nowhere' }, ['/nowhere/else', execPath])).toBe(execPath)
})

test('without a browser there is none, unless one is required', () => {
  expect(findChromium({}, ['/nowhere'])).toBeUndefined()
  expect(() => findChromium({ REQUIRE_BROWSER: '1' }, ['/nowhere'])).toThrow(/install the package "chromium"/)
})
