import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'

/** The guide and the files that stand in it: each is a test of this folder, or what they test. */
const guide = await readFile(join(import.meta.dirname, '../../../../docs/testing.md'), 'utf8')
const files = (await readdir(import.meta.dirname)).filter((name) => name.endsWith('.tsx'))

test.each(files)('the guide shows %s as it is tested', async (name) => {
  const code = await readFile(join(import.meta.dirname, name), 'utf8')
  expect(guide).toContain(`\`\`\`tsx complete file=${name}\n${code}\`\`\``)
})

test('the guide’s examples are at most 30 lines long', async () => {
  for (const name of files.filter((one) => one.includes('.test.'))) {
    const code = await readFile(join(import.meta.dirname, name), 'utf8')
    expect(code.trim().split('\n').length).toBeLessThanOrEqual(30)
  }
})
