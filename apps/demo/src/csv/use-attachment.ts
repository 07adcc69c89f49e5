import { useCallback, useState } from 'react'
import type { CsvFile } from '../../contract/csv-file.ts'
import { readCsvFile } from './read-csv-file.ts'

/** The file that goes with the next message. */
export interface Attachment {
  file: CsvFile | undefined
  /** Why the last file was not taken, in words. */
  problem: string | undefined
  /** Takes the first of the files a person chose or dropped. */
  take: (files: Iterable<File>) => void
  clear: () => void
}

/** Holds the file that goes with the next message. Of two files in a row the later one counts, however long each takes. */
export function useAttachment(): Attachment {
  const [state, setState] = useState<Pick<Attachment, 'file' | 'problem'>>(none)
  const take = useCallback((files: Iterable<File>) => {
    const [chosen] = files
    if (!chosen) return
    const pending = { file: undefined, problem: undefined }
    setState(pending)
    const settle = (next: Pick<Attachment, 'file' | 'problem'>): void =>
      setState((current) => (current === pending ? next : current))
    readCsvFile(chosen).then(
      (file) => settle({ file, problem: undefined }),
      (error: unknown) =>
        settle({ file: undefined, problem: error instanceof Error ? error.message : 'That file cannot be read.' }),
    )
  }, [])
  const clear = useCallback(() => setState(none), [])
  return { ...state, take, clear }
}

const none = { file: undefined, problem: undefined }
