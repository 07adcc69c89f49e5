import { byHand, langgraph, ours, sketched } from './growing.mjs'
import { atMost, drain } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Meter} Meter */

/** Messages whose making leaves enough behind to disturb what is measured. */
const LONG = 10_000

/** Steps before the clock starts: one meets the input; where its garbage was collected, the code has to get warm again. */
const stepsBefore = (/** @type {number} */ history) => (history >= LONG ? 100 : 1)

/** Steps of one run: many, and yet the list stays about as long as the row says. */
const stepsOn = (/** @type {number} */ history) => Math.max(20, history / 50)

/**
 * What one step costs on a list of so many messages: the first steps are not counted, nor is what the input leaves to
 * the garbage collector.
 *
 * @param {number} history
 * @param {number} steps
 */
function growth(history, steps) {
  /** @type {Meter | undefined} */
  let clock
  return {
    history,
    steps,
    /** @param {number} appended */
    beforeStep(appended) {
      // On a short list there is little to collect, and a run is over before the code is warm again.
      if (appended === 1 && history >= LONG) globalThis.gc?.()
      if (appended === stepsBefore(history)) clock?.start()
      if (appended === steps) clock?.stop()
    },
    /** @param {(run: string) => AsyncIterable<unknown> | Promise<AsyncIterable<unknown>>} stream */
    work(stream) {
      return async (/** @type {Meter} */ meter) => {
        clock = meter
        return (await drain(await stream('thread'))) - stepsBefore(history)
      }
    },
  }
}

/**
 * @param {number} history
 * @returns {Row}
 */
function row(history) {
  return {
    name: `append/${history}`,
    unit: 'µs CPU a step',
    size: stepsOn(history) - 1,
    smokeSize: 3,
    kind: 'cpu',
    subjects: {
      floor: async (counted) => {
        const grows = growth(history, counted + stepsBefore(history))
        return grows.work(() => byHand(grows))
      },
      sketch: async (counted) => {
        const grows = growth(history, counted + stepsBefore(history))
        return grows.work(() => sketched(grows))
      },
      ours: async (counted) => {
        const grows = growth(history, counted + stepsBefore(history))
        return grows.work(await ours(grows))
      },
      peer: async (counted) => {
        const grows = growth(history, counted + stepsBefore(history))
        return grows.work(await langgraph(grows))
      },
    },
    targets: [
      atMost('LangGraph / 50', (of) => of('peer') / 50),
      ...(history === 10_000 ? [atMost('4 x a step on 10 messages', (of) => of('ours', 'append/10') * 4)] : []),
    ],
  }
}

/** @type {Row[]} */
export const rows = [10, 1_000, 10_000].map(row)
