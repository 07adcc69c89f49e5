import { createAgent, reduced, state, type ChatModel, type Tool } from '@rivulet/core'
import type { CsvFile } from '../../contract/csv-file.ts'

/** Files a conversation keeps; an older one goes when another comes. */
const KEPT_FILES = 3

/** For a language model; the rules know it all. */
const INSTRUCTIONS =
  'You are the agent of the Rivulet demo page. Use the tools for anything they can answer, and quote what they found. ' +
  'Answer in Markdown, briefly. Histograms are drawn by the page, so do not draw them yourself.'

/**
 * The agent: a model and its tools in a loop. `files` is what the person gave to the conversation; it is private, so a
 * file goes up once and never comes back down.
 */
export function buildAgent(model: ChatModel, tools: readonly Tool[]) {
  return createAgent({ model, tools, prompt: INSTRUCTIONS, state: state({ files: files() }) })
}

/** The agent's graph, for the types of a page that shows it. */
export type AgentGraph = ReturnType<typeof buildAgent>

function files() {
  return reduced<CsvFile[]>({ private: true, initial: () => [], reduce: addFiles })
}

/** The files with the new ones last; one of the same name takes the place of the old. */
export function addFiles(known: readonly CsvFile[], added: readonly CsvFile[]): CsvFile[] {
  const names = new Set(added.map(({ name }) => name))
  return [...known.filter(({ name }) => !names.has(name)), ...added].slice(-KEPT_FILES)
}
