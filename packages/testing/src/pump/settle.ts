import { nextTurn } from '@rivulet/protocol'

/** Turns in a row in which nothing happened, after which all has settled. */
const QUIET_TURNS = 10
/** Turns after which something is taken to go on for ever. */
const MAX_TURNS = 500

/**
 * Lets everything go on that waits for no time to pass, until nothing has happened for a few turns of the event loop.
 * `activity` counts what happens. React is told as by its testing library: while this waits, updates are drawn as they
 * would be on a page, each on its own, and nothing complains that it was not wrapped in `act`.
 */
export async function settle(activity: () => number): Promise<void> {
  const restore = leaveActEnvironment()
  try {
    let quiet = 0
    for (let turn = 0; turn < MAX_TURNS && quiet < QUIET_TURNS; turn++) {
      const before = activity()
      await nextTurn()
      quiet = activity() === before ? quiet + 1 : 0
    }
  } finally {
    restore()
  }
}

/** What React looks at to tell a test from a page. */
interface ActEnvironment {
  IS_REACT_ACT_ENVIRONMENT?: boolean
}

function leaveActEnvironment(): () => void {
  // The flag is React's own and may be there or not.
  const environment = globalThis as ActEnvironment
  const before = environment.IS_REACT_ACT_ENVIRONMENT
  if (before === undefined) return () => {}
  environment.IS_REACT_ACT_ENVIRONMENT = false
  return () => {
    environment.IS_REACT_ACT_ENVIRONMENT = before
  }
}

/** Fake timers as vitest, jest and Sinon install them. */
interface FakeTimers {
  tickAsync(ms: number): Promise<unknown>
}

/** Moves the test framework's fake timers on, where there are any. */
export async function tickFakeTimers(ms: number): Promise<void> {
  const clock = fakeTimers()
  if (clock === undefined) return
  const restore = leaveActEnvironment()
  try {
    await clock.tickAsync(ms)
  } finally {
    restore()
  }
}

function fakeTimers(): FakeTimers | undefined {
  const clock: unknown = Reflect.get(globalThis.setTimeout, 'clock')
  const isFake = typeof clock === 'object' && clock !== null && 'tickAsync' in clock
  // All fake timers of that origin have it as a function.
  return isFake ? (clock as FakeTimers) : undefined
}
