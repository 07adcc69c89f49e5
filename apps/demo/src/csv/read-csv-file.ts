import { MAX_CSV_CHARACTERS, type CsvFile } from '../../contract/csv-file.ts'

const TABLE_NAME = /\.(?:csv|tsv|tab|txt)$/i

/**
 * The text of a file that a person chose. Throws an `Error` whose message is a sentence for that person when the file
 * is no table, is empty or is too large.
 */
export async function readCsvFile(file: File): Promise<CsvFile> {
  if (!TABLE_NAME.test(file.name) && !file.type.startsWith('text/')) {
    throw new Error(`“${file.name}” is not a CSV file.`)
  }
  // No encoding has more characters than bytes, and none that is read here needs more than four bytes for one.
  if (file.size > MAX_CSV_CHARACTERS * 4) throw tooLarge(file.name)
  const text = decodeText(new Uint8Array(await file.arrayBuffer()))
  if (text.length > MAX_CSV_CHARACTERS) throw tooLarge(file.name)
  if (text.trim() === '') throw new Error(`“${file.name}” is empty.`)
  return { name: file.name.slice(-255), text }
}

function tooLarge(name: string): Error {
  return new Error(`“${name}” is too large: at most ${MAX_CSV_CHARACTERS / 1_000_000} million characters are read.`)
}

/** Text in UTF-8, in UTF-16 with a byte order mark as spreadsheets save it, or else in Windows-1252. */
export function decodeText(bytes: Uint8Array): string {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return new TextDecoder('utf-16le').decode(bytes)
  if (bytes[0] === 0xfe && bytes[1] === 0xff) return new TextDecoder('utf-16be').decode(bytes)
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    return new TextDecoder('windows-1252').decode(bytes)
  }
}
