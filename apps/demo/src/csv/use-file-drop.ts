import { useCallback, useRef, useState, type DragEvent } from 'react'

/** Handlers that make an element a place to drop files on, and whether a file is above it now. */
export interface FileDrop {
  isOver: boolean
  handlers: {
    onDragEnter: (event: DragEvent) => void
    onDragOver: (event: DragEvent) => void
    onDragLeave: (event: DragEvent) => void
    onDrop: (event: DragEvent) => void
  }
}

/** Makes an element take dropped files. What else is dragged over it, such as a text, is left to the browser. */
export function useFileDrop(onFiles: (files: Iterable<File>) => void): FileDrop {
  // Entering a child leaves its parent: the balance of both says whether the drag is still inside.
  const depth = useRef(0)
  const [isOver, setOver] = useState(false)
  const move = useCallback((event: DragEvent, by: 0 | 1 | -1) => {
    if (!event.dataTransfer.types.includes('Files')) return
    event.preventDefault()
    depth.current = Math.max(0, depth.current + by)
    setOver(depth.current > 0)
  }, [])
  return {
    isOver,
    handlers: {
      onDragEnter: (event) => move(event, 1),
      onDragOver: (event) => move(event, 0),
      onDragLeave: (event) => move(event, -1),
      onDrop: (event) => {
        move(event, 0)
        depth.current = 0
        setOver(false)
        if (event.dataTransfer.files.length > 0) onFiles(event.dataTransfer.files)
      },
    },
  }
}
