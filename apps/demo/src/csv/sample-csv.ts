import type { CsvFile } from '../../contract/csv-file.ts'

/** A year of readings from eight invented river gauges: 2,920 rows, with gaps as real ones have. */
export const SAMPLE_NAME = 'river-gauges.csv'

/** Fetches the sample that comes with the page. Throws an `Error` with a sentence when it cannot be had. */
export async function fetchSampleCsv(): Promise<CsvFile> {
  const response = await fetch(`${import.meta.env.BASE_URL}${SAMPLE_NAME}`)
  if (!response.ok) throw new Error('The sample file could not be loaded.')
  return { name: SAMPLE_NAME, text: await response.text() }
}
