/** What the rule-based agent can do, as it says so itself. */
export const ABILITIES = `- **Search this repository's documentation** and quote it: *How do I resume a stream?*
- **Analyze a CSV file** that you drop on the page: types, counts, means and a histogram for each column.
- **Calculate**, with units: *What is 2^10?*, *12 inch to cm*.

You can ask for several things at once.`

const GREETING =
  /^\W*(?:hi|hello|hey|hiya|howdy|good (?:morning|afternoon|evening)|hallo|moin|bonjour|salut|hola|ciao|olá)\b/iu
const THANKS = /^\W*(?:thanks|thank you|thx|cheers|danke|merci|gracias|great|nice|cool|perfect|ok(?:ay)?)\b/iu
const ABOUT_SELF =
  /\b(?:help|what (?:can|do) you do|what are you|who are you|how do you work|are you (?:an? )?(?:ai|llm|bot|human|model|robot))\b/i

/** An answer to words that need no tool: empty input, greetings, thanks, questions about the agent itself. */
export function smallTalk(text: string): string | undefined {
  const words = text.split(/\s+/).filter(Boolean).length
  if (words === 0) return `That message was empty. I can:\n\n${ABILITIES}`
  if (ABOUT_SELF.test(text) && words <= 8) {
    return `I am rule-based: I match words and numbers in what you type and run real tools on it. I am not a language model. I can:\n\n${ABILITIES}`
  }
  if (GREETING.test(text) && words <= 4) return `Hello! I am a rule-based agent. I can:\n\n${ABILITIES}`
  if (THANKS.test(text) && words <= 4) return 'You are welcome. Ask me something else whenever you like.'
  return undefined
}

/** The answer to what no rule fits. */
export function notUnderstood(): string {
  return `I am rule-based and found nothing in this that I can act on. I understand English keywords only. I can:\n\n${ABILITIES}`
}
