import { median, spread } from './statistics.mjs'
import { verdict } from './verdict.mjs'

/** @typedef {import('./rounds.mjs').Cell} Cell */
/** @typedef {import('./rounds.mjs').Entry} Entry */
/** @typedef {import('./rows/row.mjs').Subject} Subject */
/** @typedef {import('./rows/row.mjs').Of} Of */
/** @typedef {import('./verdict.mjs').Verdict} Verdict */

/** @type {readonly Subject[]} */
const SUBJECTS = ['floor', 'sketch', 'ours', 'peer']
const WIDTHS = [26, 9, 9, 9, 10, 12, 12, 10, 8]
const HEADINGS = ['', 'floor', 'sketch', 'ours', 'peer', 'ours/floor', 'ours/sketch', 'peer/ours', 'spread']

/**
 * The medians with their ratios, row by row, each with its targets below.
 *
 * @param {readonly Cell[]} cells
 * @returns {{ text: string, verdicts: Verdict[] }}
 */
export function report(cells) {
  const of = medians(cells)
  /** @type {Verdict[]} */
  const verdicts = []
  /** @type {string[]} */
  const lines = []
  let title = ''
  for (const entry of new Set(cells.map((cell) => cell.entry))) {
    if (entry.title !== title) lines.push('', line([entry.title, ...HEADINGS.slice(1)]))
    title = entry.title
    const own = cells.filter((cell) => cell.entry === entry)
    const judged = entry.row.targets.map((target) => verdict(target, ofRow(of, entry.row.name)))
    verdicts.push(...judged)
    lines.push(...rowLines(entry, own, of), ...judged.map(verdictLine))
  }
  return { text: lines.join('\n'), verdicts }
}

/**
 * @param {readonly Cell[]} cells
 * @returns {(subject: Subject, row: string) => number}
 */
function medians(cells) {
  const values = new Map(cells.map((cell) => [`${cell.entry.row.name} ${cell.subject}`, median(cell.values)]))
  return (subject, row) => values.get(`${row} ${subject}`) ?? NaN
}

/**
 * @param {(subject: Subject, row: string) => number} of
 * @param {string} own
 * @returns {Of}
 */
function ofRow(of, own) {
  return (subject, row = own) => of(subject, row)
}

/**
 * @param {Entry} entry
 * @param {readonly Cell[]} cells
 * @param {(subject: Subject, row: string) => number} of
 */
function rowLines({ row: { name, unit } }, cells, of) {
  const values = SUBJECTS.map((subject) => of(subject, name))
  const ratios = [
    of('ours', name) / of('floor', name),
    of('ours', name) / of('sketch', name),
    of('peer', name) / of('ours', name),
  ]
  const own = cells.find(({ subject }) => subject === 'ours')?.values ?? []
  const apart = own.length < 2 ? '' : `${Math.round(spread(own) * 100)} %`
  const failures = cells.flatMap(({ subject, failure }) =>
    failure === undefined ? [] : [`  FAILED ${subject}: ${failure}`],
  )
  return [`${line([name, ...values.map(digits), ...ratios.map(times), apart])}  ${unit}`, ...failures]
}

/** @param {Verdict} verdict */
function verdictLine({ says, outcome, share }) {
  const used = Number.isNaN(share) ? '' : ` (${Math.round(share * 100)} % of it)`
  return `  ${outcome.padEnd(12)} at most ${says}${used}`
}

/** @param {readonly string[]} columns */
function line(columns) {
  return columns.map((text, i) => (i === 0 ? text.padEnd(WIDTHS[0] ?? 0) : text.padStart(WIDTHS[i] ?? 0))).join('')
}

/**
 * Three digits that count; nothing for what was not measured.
 *
 * @param {number} value
 */
function digits(value) {
  if (Number.isNaN(value)) return ''
  if (value >= 100) return Math.round(value).toLocaleString('en')
  return value >= 10 ? value.toFixed(1) : value.toFixed(2)
}

/** @param {number} ratio */
function times(ratio) {
  return Number.isNaN(ratio) ? '' : `${digits(ratio)}x`
}
