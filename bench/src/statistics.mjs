/**
 * @param {readonly number[]} values
 * @returns {number} NaN when there are none
 */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? NaN
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? NaN)) / 2
}

/**
 * How far the values lie apart, as a share of their median: 0 when they are all the same.
 *
 * @param {readonly number[]} values
 * @returns {number}
 */
export function spread(values) {
  return (Math.max(...values) - Math.min(...values)) / median(values)
}
