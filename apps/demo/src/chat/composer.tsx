import { useRef, type KeyboardEvent, type ReactNode, type RefObject } from 'react'
import { CsvChip } from '../csv/csv-chip.tsx'
import { sizeText } from '../csv/size-text.ts'
import type { Attachment } from '../csv/use-attachment.ts'
import { Icon } from '../icons.tsx'
import { useDraft } from './use-draft.ts'

/** See {@link Composer}. */
export interface ComposerProps {
  /** A run is under way: it can be stopped, and nothing is sent. */
  isBusy: boolean
  attachment: Attachment
  /** The text field, so that the page can bring the focus back to it. */
  field: RefObject<HTMLTextAreaElement | null>
  onSend: (text: string) => void
  onStop: () => void
}

/** Where a person writes: Enter sends, Shift+Enter begins a line, a paperclip picks a CSV file. */
export function Composer({ isBusy, attachment, field, onSend, onStop }: ComposerProps): ReactNode {
  const [text, setText] = useDraft()
  const { file, problem } = attachment
  const canSend = !isBusy && (text.trim() !== '' || file !== undefined)

  const send = (): void => {
    if (!canSend) return
    onSend(text.trim())
    setText('')
    field.current?.focus()
  }
  const onKeyDown = (event: KeyboardEvent): void => {
    // While an input method composes a character, Enter chooses it.
    if (event.key !== 'Enter' || event.shiftKey || event.nativeEvent.isComposing) return
    event.preventDefault()
    send()
  }
  return (
    <form
      className="composer"
      onSubmit={(event) => {
        event.preventDefault()
        send()
      }}
    >
      {problem && (
        <p className="composer-problem" role="alert">
          {problem}
        </p>
      )}
      {file && (
        <div className="chips">
          <CsvChip
            name={file.name}
            detail={sizeText(file.text.length)}
            onRemove={() => clearAndFocus(attachment, field)}
          />
        </div>
      )}
      <div className="composer-row">
        <FilePicker onFiles={attachment.take} />
        <label className="unseen" htmlFor="message">
          Message
        </label>
        {/* As high as its text: the style sheet lays the same text under the field. */}
        <div className="growing" data-text={text}>
          <textarea
            id="message"
            ref={field}
            rows={1}
            dir="auto"
            value={text}
            placeholder="Ask, or add a CSV file"
            enterKeyHint="send"
            onChange={(event) => setText(event.target.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        {isBusy ? (
          <button type="button" className="icon-button send" aria-label="Stop" onClick={onStop}>
            <Icon name="stop" />
          </button>
        ) : (
          <button type="submit" className="icon-button send" aria-label="Send" disabled={!canSend}>
            <Icon name="send" />
          </button>
        )}
      </div>
    </form>
  )
}

function clearAndFocus(attachment: Attachment, field: RefObject<HTMLTextAreaElement | null>): void {
  attachment.clear()
  field.current?.focus()
}

function FilePicker({ onFiles }: { onFiles: (files: Iterable<File>) => void }): ReactNode {
  const input = useRef<HTMLInputElement>(null)
  return (
    <>
      <input
        ref={input}
        type="file"
        accept=".csv,.tsv,.txt,text/csv"
        hidden
        onChange={(event) => {
          onFiles(event.target.files ?? [])
          event.target.value = '' // So that the same file can be picked again.
        }}
      />
      <button type="button" className="icon-button" aria-label="Add a CSV file" onClick={() => input.current?.click()}>
        <Icon name="clip" />
      </button>
    </>
  )
}
