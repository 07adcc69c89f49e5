/**
 * What came of a session. `recovered`: everything is there, and nothing else was ever shown. `reported`: something
 * lacks, and the client said so. `hung`: something lacks, and nothing happens any more. `silent`: something lacks, and
 * the client says that all is well. `wrong`: something was shown that the stream never said.
 *
 * @typedef {'recovered' | 'reported' | 'hung' | 'silent' | 'wrong'} Outcome
 */

/**
 * @typedef {'fin' | 'rst' | 'stall'} Kind
 * @typedef {Partial<Record<Outcome, number>>} Score
 * @typedef {Record<Kind, Score>} Scores by the way of the cut
 */

/** @type {readonly Outcome[]} */
const OUTCOMES = ['silent', 'wrong', 'hung', 'reported', 'recovered']

let isFirst = true

/**
 * The lines of one subject, with the head of the table before the first.
 *
 * @param {string} name
 * @param {Scores} scores
 * @returns {string}
 */
export function table(name, scores) {
  /** @type {Score} */
  const all = Object.values(scores).reduce((sum, score) => add(sum, score), {})
  const head = isFirst ? line('', 'cut', 'sessions', ...OUTCOMES) : ''
  isFirst = false
  const rows = Object.entries({ ...scores, all }).map(([kind, score]) => {
    const sessions = OUTCOMES.reduce((sum, outcome) => sum + (score[outcome] ?? 0), 0)
    const shares = OUTCOMES.map((outcome) => `${(((score[outcome] ?? 0) / sessions) * 100).toFixed(1)} %`)
    return line(kind === 'fin' ? name : '', kind, String(sessions), ...shares)
  })
  return head + rows.join('')
}

/**
 * @param {Score} a
 * @param {Score} b
 * @returns {Score}
 */
function add(a, b) {
  return Object.fromEntries(OUTCOMES.map((outcome) => [outcome, (a[outcome] ?? 0) + (b[outcome] ?? 0)]))
}

/**
 * @param {string} name
 * @param {readonly string[]} cells
 */
function line(name, ...cells) {
  return `${name.padEnd(26)}${cells.map((cell) => cell.padStart(10)).join('')}\n`
}
