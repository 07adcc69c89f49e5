import { createObservers, type ThreadFacts, type ThreadStore, type ThreadView } from '@rivulet/client'
import { nextFrame } from './next-frame.ts'

/** A view of a thread that changes at most once a frame. All who read it see the same moment. */
export interface PacedView extends ThreadView {
  /** Keeps the view in step with the thread until the returned function is called. */
  readonly start: () => () => void
}

/** A frame that comes later than this after a change was held up by it: rendering did not fit into a frame. */
const LATE_MS = 40
/** Frames in a row that show something new before only every second one does. */
const FULL_PACE_FRAMES = 10
/** Longest rest after a slow render in milliseconds. */
const MAX_REST_MS = 500

/**
 * A paced view of a thread: the first change after a pause is shown at once, the following ones together with the next
 * frame. Where they go on, only every second frame shows them: text reads no better at the pace of frames, and a page is
 * laid out anew for each. What a person waits for (their own message, a run's beginning and end, a failure) is shown without
 * delay. Where a change takes longer to render than a frame lasts, the page rests as long as it took, so that it stays
 * usable. `throttleMs` takes the place of the frames; with 0 every change is shown.
 */
export function createPacedView(thread: ThreadStore, throttleMs?: number): PacedView {
  const observers = createObservers(thread.facts)
  let shown = thread.facts
  let committedAt = 0
  let cancelRest: (() => void) | undefined
  const commit = () => {
    if (shown === thread.facts) return
    shown = thread.facts
    committedAt = performance.now()
    observers.set(shown)
  }
  const rest = (frames: number) => {
    const end = () => {
      cancelRest = undefined
      if (shown === thread.facts) return
      rest(frames + 1)
      commit()
    }
    cancelRest = nextFrame(() => {
      const tookMs = performance.now() - committedAt
      if (throttleMs !== undefined || isHidden()) end()
      else if (tookMs > LATE_MS) cancelRest = nextFrame(end, Math.min(tookMs, MAX_REST_MS))
      else if (frames > FULL_PACE_FRAMES) cancelRest = nextFrame(end)
      else end()
    }, throttleMs)
  }
  const onChange = () => {
    if (throttleMs === 0 || isUrgent(shown, thread.facts)) return commit()
    if (cancelRest !== undefined) return
    rest(1)
    commit()
  }
  return {
    getSnapshot: observers.getSnapshot,
    subscribe: observers.subscribe,
    select: observers.select,
    start() {
      const stop = thread.subscribe(onChange)
      commit()
      return () => {
        stop()
        cancelRest?.()
        cancelRest = undefined
      }
    },
  }
}

/** A hidden page is brought up to date at a slow pace anyway. */
function isHidden(): boolean {
  return typeof document !== 'undefined' && document.visibilityState === 'hidden'
}

/** Whether somebody waits for just this change. */
function isUrgent(shown: ThreadFacts, now: ThreadFacts): boolean {
  return (
    shown.state.runs !== now.state.runs ||
    shown.starts !== now.starts ||
    shown.outbox !== now.outbox ||
    shown.failure !== now.failure ||
    shown.threadId !== now.threadId
  )
}
