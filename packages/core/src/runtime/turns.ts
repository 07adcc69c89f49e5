import { nextTurn } from '@rivulet/protocol'

/** Time, in ms, that passes before anybody looks whether the event loop still turns, and then before it is waited for. */
const SLICE_MS = 3

let looksAt = 0
/** Resolves with the next turn of the event loop, once somebody wanted to know of it. */
let turn: Promise<void> | undefined
let waitsAt = 0

/**
 * A promise to wait for when timers, input and signals have not had a turn for some milliseconds: nodes, tools and models
 * that wait for nothing outside would keep them out for as long as the run takes. Nearly always `undefined`.
 */
export function turnDue(): Promise<void> | undefined {
  const now = performance.now()
  if (turn !== undefined) return now >= waitsAt ? turn : undefined
  if (now < looksAt) return undefined
  waitsAt = now + SLICE_MS
  turn = nextTurn().then(turned)
  return undefined
}

function turned(): void {
  turn = undefined
  looksAt = performance.now() + SLICE_MS
}
