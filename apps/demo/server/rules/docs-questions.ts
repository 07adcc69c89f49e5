import { isStopWord } from '../tools/docs/stop-words.ts'

/** Most searches of one turn, and longest query in characters. */
const MAX_QUERIES = 3
const MAX_QUERY = 300

/** Words of this project's subject: one of them is enough to look into the documentation. */
const subject: ReadonlySet<string> = new Set(
  (
    'abort api attempt backend batch browser bus cancel checkpoint checkpointer chunk client command compile connection ' +
    'contribute contributing cursor demo disconnect docs documentation durability edge error event fold fork frame ' +
    'graph heartbeat hook hooks http install interrupt langgraph license log message mode namespace node openai ' +
    'package performance pnpm postgres progress protocol react readme reconnect redis reducer replay resume retry ' +
    'rewind route run runtime sdk selector send server setup snapshot sqlite sse state stop store stream streaming ' +
    'subgraph superstep task test thread token tool transport typescript usestream wire websocket writer zod'
  ).split(' '),
)

const PIECES =
  /[?!\n;]+|\.(?=\s|$)|,?\s+(?:and|also|then|plus)\s+(?=(?:how|what|why|when|where|which|who|can|does|do|is|are|tell|explain|search|find)\b)/i
const QUESTION =
  /^\W*(?:and |but |so |please )?(?:how|what|why|when|where|which|who|can|could|does|do|is|are|should|explain|describe|define|search|find|look up|tell me about|show me|what about|how about)\b/i
/** Words that ask for the search itself and would only blur it. */
const ASKING =
  /\b(?:please|search(?: the docs)?(?: for)?|find|look up|look for|show me|tell me about|explain|describe|define|calculate|compute|convert|in the (?:docs|documentation))\b/gi

/**
 * What to search the documentation for, piece by piece of what was typed: questions, and whatever names this project's
 * subject. `asked` keeps a query's own words; pieces of mere filler give none.
 */
export function docsQuestions(text: string): string[] {
  const queries = text
    .split(PIECES)
    .map((piece) => piece.trim())
    .filter((piece) => isDocsQuestion(piece, text))
    .map((piece) => piece.replace(ASKING, ' ').replace(/\s+/g, ' ').trim().slice(0, MAX_QUERY))
  return [...new Set(queries)].slice(0, MAX_QUERIES)
}

/** Whether any word names this project's subject. */
export function namesSubject(text: string): boolean {
  return contentWords(text).some((word) => subject.has(word) || subject.has(word.replace(/(?:ing|s)$/, '')))
}

function isDocsQuestion(piece: string, whole: string): boolean {
  if (namesSubject(piece)) return true
  const question =
    QUESTION.test(piece) || (whole.includes('?') && whole.trimEnd().endsWith('?') && whole.includes(`${piece}?`))
  return question && contentWords(piece.replace(ASKING, ' ')).length > 0
}

/** Words with a subject: no filler, and nothing shorter than two letters. */
function contentWords(text: string): string[] {
  return (text.toLowerCase().match(/[\p{L}\p{N}_]{2,}/gu) ?? []).filter((word) => !isStopWord(word))
}
