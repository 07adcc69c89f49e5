import { expect, test } from 'vitest'
import { spokenText } from './spoken-text.ts'

test.each([
  ['`5 * 5` = **25**', '5 * 5 = 25'],
  [
    'From **Resuming** in `docs/a.md`:\n\n> A stream.\n\n```ts\nresume()\n```',
    'From Resuming in docs/a.md : A stream. resume()',
  ],
  ['| a | b |\n|---|--:|\n| 1 | 2 |', 'a b 1 2'],
  ['- one\n- *two*\n\n# Title', 'one two Title'],
  ['a [link](https://example.org) here', 'a link here'],
  [String.raw`water\_level \<b\>`, 'water_level <b>'],
  ['', ''],
])('%j is read as %j', (markdown, words) => {
  expect(spokenText(markdown)).toBe(words)
})
