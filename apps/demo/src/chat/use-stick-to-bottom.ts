import { useCallback, useEffect, useRef, useState, type RefObject } from 'react'

/** Scrolling that follows what grows, as long as the reader is at the bottom. */
export interface StickToBottom {
  /** For the element that scrolls. */
  scroller: RefObject<HTMLDivElement | null>
  /** For the element inside it that grows. */
  content: RefObject<HTMLDivElement | null>
  /** The reader is at the bottom, and what arrives is followed. */
  isAtBottom: boolean
  /** Goes to the bottom and follows from there. */
  jump: () => void
}

/** Distance from the bottom, in pixels, that still counts as being there. */
const NEAR_PX = 40

/**
 * Keeps the end of a growing content in view while the reader is there, and leaves a reader alone who scrolled up. It
 * costs nothing while a page renders: the browser says when the content has another size. What `isEmpty` has no end to
 * follow, and is read from its top. Another `subject` is followed from its end, wherever the reader was in the one
 * before.
 */
export function useStickToBottom(subject: unknown, isEmpty: boolean): StickToBottom {
  const scroller = useRef<HTMLDivElement>(null)
  const content = useRef<HTMLDivElement>(null)
  const followed = useRef({ subject, sticks: true })
  const [isAtBottom, setAtBottom] = useState(true)

  const stick = useCallback((value: boolean) => {
    followed.current.sticks = value
    setAtBottom(value)
  }, [])
  const jump = useCallback(() => {
    stick(true)
    toEnd(scroller.current)
  }, [stick])

  const [shown, setShown] = useState(subject)
  if (shown !== subject) {
    setShown(subject)
    setAtBottom(true)
  }

  useEffect(() => {
    const box = scroller.current
    const inner = content.current
    if (followed.current.subject !== subject) followed.current = { subject, sticks: true }
    if (!box || !inner || isEmpty) return undefined
    let top = box.scrollTop
    const onScroll = (): void => {
      // Only going up leaves the bottom: content that grew faster than it was followed does not.
      const up = box.scrollTop < top
      top = box.scrollTop
      const near = box.scrollHeight - box.clientHeight - box.scrollTop <= NEAR_PX
      if (near || up) stick(near)
    }
    const follow = (): void => {
      if (followed.current.sticks) toEnd(box)
    }
    const sizes = new ResizeObserver(follow)
    sizes.observe(inner)
    sizes.observe(box)
    box.addEventListener('scroll', onScroll, { passive: true })
    return () => {
      sizes.disconnect()
      box.removeEventListener('scroll', onScroll)
    }
  }, [stick, subject, isEmpty])
  return { scroller, content, isAtBottom, jump }
}

function toEnd(box: HTMLElement | null): void {
  if (box) box.scrollTop = box.scrollHeight
}
