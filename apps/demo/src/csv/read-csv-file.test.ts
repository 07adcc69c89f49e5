import { expect, test } from 'vitest'
import { MAX_CSV_CHARACTERS } from '../../contract/csv-file.ts'
import { decodeText, readCsvFile } from './read-csv-file.ts'

test('a CSV file is its name and text', async () => {
  expect(await readCsvFile(new File(['a,b\n1,2\n'], 'x.csv'))).toEqual({ name: 'x.csv', text: 'a,b\n1,2\n' })
})

test('a table without a known ending is read when it is text', async () => {
  expect((await readCsvFile(new File(['a'], 'table', { type: 'text/csv' }))).text).toBe('a')
})

test.each([
  [new File(['x'], 'x.png', { type: 'image/png' }), '“x.png” is not a CSV file.'],
  [new File([' \n'], 'x.csv'), '“x.csv” is empty.'],
  [
    new File(['a'.repeat(MAX_CSV_CHARACTERS + 1)], 'x.csv'),
    '“x.csv” is too large: at most 12 million characters are read.',
  ],
])('%# a file that cannot be read is refused in words', async (file, sentence) => {
  await expect(readCsvFile(file)).rejects.toThrow(sentence)
})

test.each([
  ['UTF-8', [0xc3, 0xa9], 'é'],
  ['UTF-8 with a mark', [0xef, 0xbb, 0xbf, 0x61], 'a'],
  ['UTF-16, little end first', [0xff, 0xfe, 0xe9, 0x00], 'é'],
  ['UTF-16, big end first', [0xfe, 0xff, 0x00, 0xe9], 'é'],
  ['Windows-1252', [0x63, 0xe9], 'cé'],
])('%s is decoded', (_, bytes, text) => {
  expect(decodeText(Uint8Array.from(bytes))).toBe(text)
})
