/** @typedef {import('./rows/row.mjs').Target} Target */
/** @typedef {import('./rows/row.mjs').Of} Of */
/** @typedef {{ says: string, outcome: 'reached' | 'missed' | 'not measured', share: number }} Verdict */

/**
 * Whether a target is reached, and which share of what it allows is used: above 1 it is missed.
 *
 * @param {Target} target
 * @param {Of} of
 * @returns {Verdict}
 */
export function verdict({ says, value, limit }, of) {
  const share = value(of) / limit(of)
  if (Number.isNaN(share)) return { says, outcome: 'not measured', share }
  return { says, outcome: share <= 1 ? 'reached' : 'missed', share }
}
