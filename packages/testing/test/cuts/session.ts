import { createClient, type Timing, type Transport } from '@rivulet/client'
import { nextTurn } from '@rivulet/protocol'
import type { CutKind } from '../../src/index.ts'
import { tell, type Recording } from './recordings.ts'

/** Where the first connection of one run is cut. */
export interface Cut {
  readonly run: string
  /** Behind so many bytes of its body; over a WebSocket in memory, behind so many frames. */
  readonly at: number
  readonly kind: CutKind
}

/**
 * What came of a session. `recovered`: everything is there and nothing else was ever shown. `reported`: something lacks
 * and the client said so. The others must not be: `silent`, where it said that all is well; `wrong`, where something was
 * shown that never was the thread's state.
 */
export type Outcome = 'recovered' | 'reported' | 'silent' | 'wrong'

/** How often each outcome was. */
export type Score = Readonly<Record<Outcome, number>>

/** The counts of these outcomes. */
export function scoreOf(outcomes: readonly Outcome[]): Score {
  const score = { recovered: 0, reported: 0, silent: 0, wrong: 0 }
  for (const outcome of outcomes) score[outcome]++
  return score
}

/**
 * Plays a recording to the client over this transport, run after run as a page would start them, and judges the end.
 * `onRun` is told which run is about to be started.
 */
export async function play(
  recording: Recording,
  transport: Transport,
  timing: Timing,
  onRun?: (run: string) => void,
): Promise<Outcome> {
  const { runs, told } = recording
  const client = createClient({ transport, timing, retry: { firstDelayMs: 0, maxDelayMs: 0, maxAttempts: 1000 } })
  const thread = client.thread({ graph: 'recorded', threadId: 't' })
  let isWrong = false
  thread.subscribe(() => {
    const { state } = thread.getSnapshot()
    if (state.cursor > 0 && tell(state) !== told[state.cursor - 1]) isWrong = true
  })
  try {
    for (const [i, { id }] of runs.entries()) {
      onRun?.(id)
      const { error } = await thread.submit(undefined, { run: id, ...(i > 0 && { resume: 'an answer' }) }).result
      // A run that fails is told as an error, too; the connection's own failures have another code.
      if (error !== undefined && error.code !== 'NODE_FAILED') return 'reported'
    }
    if (isWrong) return 'wrong'
    return tell(thread.getSnapshot().state) === told.at(-1) ? 'recovered' : 'silent'
  } finally {
    thread.dispose()
  }
}

/** Time that passes as soon as everything else has come to rest, so that nothing is waited for. */
export interface RestlessTime {
  readonly timing: Timing
  /** Moves time on, timer by timer, until the promise is settled. Throws when nothing is left that could settle it. */
  readonly until: <T>(promise: Promise<T>) => Promise<T>
}

/** Turns of the event loop in which something may still be on its way through streams. */
const TURNS = 3

/** A clock of its own for one session. */
export function restlessTime(): RestlessTime {
  let now = 0
  let timers: { at: number; fn: () => void }[] = []
  const timing: Timing = {
    now: () => now,
    epochMs: () => now,
    random: () => 0,
    onWake: () => () => {},
    after(delayMs, fn) {
      const timer = { at: now + delayMs, fn }
      timers.push(timer)
      return () => {
        timers = timers.filter((other) => other !== timer)
      }
    },
  }
  return {
    timing,
    async until(promise) {
      const progress = { isSettled: false }
      const settle = () => {
        progress.isSettled = true
      }
      promise.then(settle, settle)
      for (;;) {
        for (let turn = 0; turn < TURNS; turn++) {
          await nextTurn()
          if (progress.isSettled) return promise
        }
        const [first] = timers.toSorted((a, b) => a.at - b.at)
        if (first === undefined) throw new Error('the session hangs: there is nothing left to wait for')
        now = first.at
        timers = timers.filter((timer) => timer !== first)
        first.fn()
      }
    },
  }
}
