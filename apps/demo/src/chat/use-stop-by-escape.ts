import { useLayoutEffect } from 'react'

/** Calls `stop` when Escape is pressed anywhere on the page while `isActive`, unless a dialog is open: it closes first. */
export function useStopByEscape(isActive: boolean, stop: () => void): void {
  // Before anybody sees that there is something to stop.
  useLayoutEffect(() => {
    if (!isActive) return undefined
    const onKeyDown = (event: KeyboardEvent): void => {
      if (event.key !== 'Escape' || event.defaultPrevented || document.querySelector('dialog[open]')) return
      event.preventDefault()
      stop()
    }
    document.addEventListener('keydown', onKeyDown)
    return () => document.removeEventListener('keydown', onKeyDown)
  }, [isActive, stop])
}
