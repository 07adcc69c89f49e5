import type { AgentLabel } from '../../contract/agent-label.ts'

/** The environment variables that choose the model. */
export interface ModelEnvironment {
  OPENAI_API_KEY?: string | undefined
  OPENAI_BASE_URL?: string | undefined
  OPENAI_MODEL?: string | undefined
}

/** Which model answers: rules, or one of OpenAI's with what it needs. */
export type ModelChoice = { kind: 'rules' } | { kind: 'openai'; apiKey: string; name: string; baseURL?: string }

const DEFAULT_MODEL = 'gpt-4o-mini'

/** OpenAI's model when there is a key, else the rules, which need neither key nor network. Empty variables count as unset. */
export function chooseModel({ OPENAI_API_KEY, OPENAI_BASE_URL, OPENAI_MODEL }: ModelEnvironment): ModelChoice {
  if (!OPENAI_API_KEY) return { kind: 'rules' }
  const name = OPENAI_MODEL || DEFAULT_MODEL
  return { kind: 'openai', apiKey: OPENAI_API_KEY, name, ...(OPENAI_BASE_URL && { baseURL: OPENAI_BASE_URL }) }
}

/** What the page says about a model. */
export function labelOf(choice: ModelChoice): AgentLabel {
  if (choice.kind === 'openai') {
    return { name: choice.name, note: `Answers come from ${choice.name} through the OpenAI API.` }
  }
  return {
    name: 'Rule-based agent',
    note: 'It matches words in what you type and runs real tools on it: no language model, no network.',
  }
}
