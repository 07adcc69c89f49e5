/** Longest answer that is read out at once, in characters; of a longer one its beginning is. */
const MAX_READ = 600

/** What to read out when the thread goes from one status to another; `undefined` leaves what was said. */
export function announcement(before: string, now: string, lastText: string): string | undefined {
  if (before === now) return undefined
  if (now === 'connecting' || (now === 'streaming' && before !== 'connecting')) return 'The agent is answering.'
  const wasRunning = before === 'streaming' || before === 'connecting'
  if (!wasRunning || (now !== 'idle' && now !== 'interrupted')) return undefined
  return `The answer is complete. ${lastText.length > MAX_READ ? `${lastText.slice(0, MAX_READ)} …` : lastText}`
}
