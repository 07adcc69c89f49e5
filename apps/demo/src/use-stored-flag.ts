import { useState } from 'react'

/** A choice that this browser remembers; `initial` until somebody has chosen. Where nothing can be stored it is not. */
export function useStoredFlag(name: string, initial: boolean): [flag: boolean, choose: (flag: boolean) => void] {
  const [flag, setFlag] = useState(() => readFlag(name) ?? initial)
  const choose = (next: boolean): void => {
    setFlag(next)
    try {
      localStorage.setItem(name, String(next))
    } catch {
      // It counts for this page then.
    }
  }
  return [flag, choose]
}

function readFlag(name: string): boolean | undefined {
  try {
    const stored = localStorage.getItem(name)
    return stored === null ? undefined : stored === 'true'
  } catch {
    return undefined
  }
}
