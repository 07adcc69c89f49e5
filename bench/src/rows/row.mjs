/**
 * What is compared. `floor` is the hand-written minimum for the same work, `sketch` the forty lines of
 * `sketch/engine.mjs`, `ours` the production build, `peer` @langchain/langgraph,
 * and for the wires of others whose wire it is.
 *
 * @typedef {'floor' | 'sketch' | 'ours' | 'peer'} Subject
 */

/**
 * Stops and starts the clock within one run: what is outside is not counted. Without it the whole run is.
 *
 * @typedef {object} Meter
 * @property {() => void} start drops what was counted so far
 * @property {() => void} stop
 */

/**
 * Does the work once and answers how many units that was, as counted at the far end: a subject that stops early shows.
 *
 * @typedef {(meter: Meter) => number | Promise<number>} Work
 */

/**
 * A target of performance.md's kind: what is compared with what. Values of subjects that were not measured are NaN, and
 * so is then the comparison.
 *
 * @typedef {object} Target
 * @property {string} says
 * @property {(of: Of) => number} value
 * @property {(of: Of) => number} limit
 */

/**
 * Median of a subject, in this row or in the one named.
 *
 * @typedef {(subject: Subject, row?: string) => number} Of
 */

/**
 * One line of the report.
 *
 * @typedef {object} Row
 * @property {string} name `group/variant`
 * @property {string} unit what a value means, with "CPU" where it is a time
 * @property {number} size units of a run
 * @property {number} smokeSize the same for `--smoke`
 * @property {number} [warmSize] units of a run that only warms up; default `size`
 * @property {'cpu' | 'gauge'} kind `cpu`: µs of CPU a unit, sampled; `gauge`: what `prepare` answers, once a process
 * @property {Partial<Record<Subject, (size: number) => Promise<Work | number>>>} subjects `cpu` rows answer work
 * @property {readonly Target[]} targets
 */

/**
 * @param {string} says
 * @param {(of: Of) => number} limit
 * @param {(of: Of) => number} [value]
 * @returns {Target}
 */
export function atMost(says, limit, value = (of) => of('ours')) {
  return { says, limit, value }
}

/**
 * Reads a stream to its end.
 *
 * @param {AsyncIterable<unknown>} stream
 * @param {(chunk: unknown) => boolean} [counts]
 * @returns {Promise<number>} chunks that count; default all
 */
export async function drain(stream, counts = () => true) {
  let count = 0
  for await (const chunk of stream) if (counts(chunk)) count++
  return count
}

/**
 * @param {unknown} chunk `[mode, chunk]`
 * @returns {boolean}
 */
export function isUpdate(chunk) {
  return Array.isArray(chunk) && chunk[0] === 'updates'
}
