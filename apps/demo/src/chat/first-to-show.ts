/** As many messages as fill a tall screen. */
const SCREENFUL = 24

/**
 * Which message to begin with, of `count`, when `prepared` of them are on the page or were given time to get there: the
 * first, unless so many are new at once that they would hold the page up.
 */
export function firstToShow(count: number, prepared: number): number {
  return count - prepared > SCREENFUL ? count - SCREENFUL : 0
}
