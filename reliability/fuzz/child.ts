import { runSchedule } from '../stack/schedule.ts'
import { runSplits } from '../stack/splits.ts'

/** One of the fuzz run's processes: `child <first> <step> <schedules> <splits>`. Prints what came of it as JSON. */
const [first = 1, step = 1, schedules = 0, splits = 0] = process.argv.slice(2).map(Number)
/** Splits of one stream. */
const SPLITS_EACH = 50
const failures: string[] = []
const sums = { schedules: 0, exchanges: 0, events: 0, states: 0, splits: 0 }
const errors: { [code: string]: number } = {}

for (let seed = first; seed < first + schedules * step; seed += step) {
  try {
    const outcome = await runSchedule(seed)
    sums.schedules++
    sums.exchanges += outcome.exchanges
    sums.events += outcome.events
    sums.states += outcome.states
    for (const [code, count] of Object.entries(outcome.errors)) errors[code] = (errors[code] ?? 0) + count
  } catch (error) {
    failures.push(String(error))
  }
}
for (let seed = first; sums.splits < splits; seed += step) {
  try {
    runSplits(seed, SPLITS_EACH)
  } catch (error) {
    failures.push(String(error))
  }
  sums.splits += SPLITS_EACH
}
process.stdout.write(JSON.stringify({ ...sums, errors, failures }))
