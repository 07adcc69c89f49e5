import { z } from 'zod'

/** Longest file that the page takes, in characters: as JSON it fits into the 80 MiB that the server takes, whatever it holds. */
export const MAX_CSV_CHARACTERS = 12_000_000

/** A file that a person gave to the conversation: it lives in the graph's state, and tools read it there by its name. */
export const csvFile = z.object({ name: z.string().min(1).max(255), text: z.string().max(MAX_CSV_CHARACTERS) })

/** See {@link csvFile}. */
export type CsvFile = z.infer<typeof csvFile>
