import { useState } from 'react'

const KEY = 'draft'

/** What was typed and not sent. This tab remembers it over a reload, where it may store anything. */
export function useDraft(): [text: string, setText: (text: string) => void] {
  const [text, setText] = useState(readDraft)
  const change = (next: string): void => {
    setText(next)
    try {
      sessionStorage.setItem(KEY, next)
    } catch {
      // A reload loses it then.
    }
  }
  return [text, change]
}

function readDraft(): string {
  try {
    return sessionStorage.getItem(KEY) ?? ''
  } catch {
    return ''
  }
}
