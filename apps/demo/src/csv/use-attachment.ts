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
  /** Shows why a file could not be had: the message of an `Error`. */
  refuse: (reason: unknown) => void
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
      (error: unknown) => settle(refusal(error)),
    )
  }, [])
  const refuse = useCallback((reason: unknown) => setState(refusal(reason)), [])
  const clear = useCallback(() => setState(none), [])
  return { ...state, take, refuse, clear }
}

const none = { file: undefined, problem: undefined }

function refusal(reason: unknown): Pick<Attachment, 'file' | 'problem'> {
  return { file: undefined, problem: reason instanceof Error ? reason.message : 'That file cannot be read.' }
}
