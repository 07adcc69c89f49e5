/** @typedef {{ id: string, role: 'user' | 'assistant', content: string }} Message */

/**
 * A conversation, a little under 100 characters a message.
 *
 * @param {number} length
 * @returns {Message[]}
 */
export function conversation(length) {
  return Array.from({ length }, (_, i) => message(i))
}

/**
 * @param {number} i
 * @returns {Message}
 */
export function message(i) {
  const content = `message ${i}: cats sleep between twelve and sixteen hours a day, most of them in your chair`
  return { id: `m${i}`, role: i % 2 === 0 ? 'user' : 'assistant', content }
}

/**
 * A list with one more message, or with one replaced: merged by id, as every engine here does it.
 *
 * @param {readonly Message[]} list
 * @param {readonly Message[]} update
 * @returns {readonly Message[]}
 */
export function merged(list, update) {
  const next = list.slice()
  for (const message of update) {
    const at = next.findIndex(({ id }) => id === message.id)
    if (at === -1) next.push(message)
    else next[at] = message
  }
  return next
}
