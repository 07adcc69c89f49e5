import { useEffect, useRef, useState, type ReactNode } from 'react'

/** See {@link SideScroll}. */
export interface SideScrollProps {
  /** What it holds, for screen readers. */
  label: string
  children: ReactNode
}

/**
 * Holds what may be wider than the page. Where something is out of sight, the edge on that side fades, and the box takes
 * the focus for those who scroll by keyboard.
 */
export function SideScroll({ label, children }: SideScrollProps): ReactNode {
  const box = useRef<HTMLElement>(null)
  const [hidden, setHidden] = useState<HiddenSides>('none')
  useEffect(() => {
    const scroller = box.current
    if (!scroller) return undefined
    const measure = (): void => setHidden(hiddenSides(scroller))
    // It tells at once, and whenever the page or what is inside has another width.
    const sizes = new ResizeObserver(measure)
    sizes.observe(scroller)
    for (const child of scroller.children) sizes.observe(child)
    scroller.addEventListener('scroll', measure, { passive: true })
    return () => {
      sizes.disconnect()
      scroller.removeEventListener('scroll', measure)
    }
  }, [])
  const isWide = hidden !== 'none'
  return (
    <section
      className="side-scroll"
      ref={box}
      data-hidden={hidden}
      {...(isWide && { 'aria-label': `${label}, scrolls sideways`, tabIndex: 0 })}
    >
      {children}
    </section>
  )
}

/** On which sides something is out of sight. */
export type HiddenSides = 'none' | 'start' | 'end' | 'both'

/** On which sides of a box that scrolls something is out of sight, whichever way its text runs. */
export function hiddenSides(box: Pick<HTMLElement, 'scrollLeft' | 'scrollWidth' | 'clientWidth'>): HiddenSides {
  // Half a pixel is lost in rounding.
  const before = Math.abs(box.scrollLeft) > 1
  const after = box.scrollWidth - box.clientWidth - Math.abs(box.scrollLeft) > 1
  if (before) return after ? 'both' : 'start'
  return after ? 'end' : 'none'
}
