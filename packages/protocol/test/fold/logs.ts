import fc from 'fast-check'
import type { StampedEvent } from '../../src/index.ts'
import { simulate } from './simulate.ts'
import { Tape } from './tape.ts'
import { stamp } from './thread.ts'

/** How long a property may look for a case, and then for a shorter one, in milliseconds. */
const limit = Number(process.env['FOLD_LIMIT_MS'] ?? 60_000)

/** Time for one test, in milliseconds. */
export const timeout: number = limit * 2

/** Cases of each property. `FOLD_RUNS=5000` looks longer. */
const numRuns = Number(process.env['FOLD_RUNS'] ?? 300)

/** The usual number of cases, or a share of it where each takes long. */
export function cases(share: number = 1): { numRuns: number; interruptAfterTimeLimit: number } {
  return { numRuns: Math.ceil(numRuns * share), interruptAfterTimeLimit: limit }
}

/** Legal threads, as a log stamps them: now and then a number is left out, as after a filter. */
export const logs: fc.Arbitrary<StampedEvent[]> = logsOf(240)

/** The same, shorter: for what looks at everything after every event. */
export const shortLogs: fc.Arbitrary<StampedEvent[]> = logsOf(100)

function logsOf(maxLength: number): fc.Arbitrary<StampedEvent[]> {
  const tapes = fc.noBias(fc.array(fc.nat({ max: 9999 }), { maxLength, size: 'max' }))
  return fc
    .tuple(tapes, fc.nat({ max: 6 }))
    .map(([numbers, every]) => stamp(simulate(new Tape(numbers)), (i) => every > 0 && i % (every + 3) === 0))
    .filter((events) => events.length > 1)
}

/** A number below `size`, chosen by `luck`. */
export function below(size: number, luck: number): number {
  return luck % Math.max(1, size)
}
