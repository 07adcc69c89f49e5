import { useEffect, useState } from 'react'

/**
 * Makes the whole page take dropped files, and says whether one is above it now. What else is dragged over it, such as
 * a text, is left to the browser; a file that misses would otherwise replace the page.
 */
export function useFileDrop(onFiles: (files: Iterable<File>) => void): boolean {
  const [isOver, setOver] = useState(false)
  useEffect(() => {
    // Entering a child leaves its parent: the balance of both says whether the drag is still inside.
    let depth = 0
    const move = (by: number) => (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      depth = Math.max(0, depth + by)
      setOver(depth > 0)
    }
    const drop = (event: DragEvent): void => {
      move(-depth)(event)
      const files = event.dataTransfer?.files
      if (files && files.length > 0) onFiles(files)
    }
    const listeners = { dragenter: move(1), dragover: move(0), dragleave: move(-1), drop }
    const each = Object.entries(listeners) as [keyof typeof listeners, (event: DragEvent) => void][]
    for (const [type, listener] of each) document.addEventListener(type, listener)
    return () => {
      for (const [type, listener] of each) document.removeEventListener(type, listener)
    }
  }, [onFiles])
  return isOver
}
