import type { MessageInput } from '@rivulet/protocol'
import type { CsvFile } from '../../contract/csv-file.ts'

/** What a person said, and the name of the file that goes with it: its text goes to the state, beside the messages. */
export function userMessage(text: string, file: CsvFile | undefined): MessageInput {
  const parts = file && [{ kind: 'file' as const, mediaType: 'text/csv', name: file.name }]
  return { role: 'user', content: text, ...(parts && { parts }) }
}
