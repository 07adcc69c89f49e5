/** Messages that are on the page before the turn. */
export const OLD = 1000
/** Tokens of the answer, and how many of them a second brings. */
export const TOKENS = 2000
export const TOKENS_A_SECOND = 500

/** The old messages: `role` and about 200 characters of `text`. */
export const oldMessages = Array.from({ length: OLD }, (_, i) => ({
  id: `old-${i}`,
  role: i % 2 === 0 ? 'user' : 'assistant',
  text: `message ${i} `.repeat(16),
}))

/** The answer's tokens, six characters each, the last one to be found on the page. */
export const tokens = [...Array.from({ length: TOKENS - 1 }, (_, i) => `w${String(i).padStart(4, '0')} `), 'THE-END']

/**
 * Calls `send` with each token when it is due, several where the clock was late.
 *
 * @param {(token: string, index: number) => void} send
 * @returns {Promise<void>} resolves after the last
 */
export function pace(send) {
  const began = performance.now()
  let sent = 0
  return new Promise((resolve) => {
    const turn = () => {
      const due = Math.min(TOKENS, Math.floor(((performance.now() - began) * TOKENS_A_SECOND) / 1000) + 1)
      for (; sent < due; sent++) send(tokens[sent] ?? '', sent)
      if (sent < TOKENS) setTimeout(turn, 1)
      else resolve()
    }
    turn()
  })
}
