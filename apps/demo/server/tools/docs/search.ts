import MiniSearch from 'minisearch'
import type { DocsHit, SearchResult } from '../../../contract/search-result.ts'
import { isStopWord } from './stop-words.ts'
import type { Section } from './sections.ts'

/** Sections that one search quotes. */
export const HITS_A_SEARCH = 3
/** Longest quotation, in characters, and longest code block, in lines. */
const MAX_QUOTE = 360
const MAX_CODE_LINES = 24
/** Sections that match less than this share of the best one's score are not worth a quotation. */
const MIN_SHARE = 0.25

/** A full-text index over sections of documentation. */
export interface DocsIndex {
  /** How many sections it holds. */
  size: number
  /** The best sections for `query`, from the `skip`-th on (default 0). A query of filler words alone finds nothing. */
  search(query: string, skip?: number): SearchResult
}

/** Indexes sections: headings count more than text, words are matched by their beginning and with small misspellings. */
export function indexSections(sections: readonly Section[]): DocsIndex {
  const index = new MiniSearch<{ id: number; title: string; trail: string; text: string; code: string }>({
    fields: ['title', 'trail', 'text', 'code'],
    processTerm: term,
    tokenize: words,
    searchOptions: {
      boost: { title: 4, trail: 2, code: 0.5 },
      // Short words are matched exactly: nearly everything begins with two letters or is one misspelling away.
      prefix: (word) => word.length > 3,
      fuzzy: (word) => (word.length > 5 ? 0.2 : false),
    },
  })
  index.addAll(
    sections.map(({ trail, paragraphs, code }, id) => ({
      id,
      title: trail.at(-1) ?? '',
      trail: trail.slice(0, -1).join(' '),
      text: paragraphs.join(' '),
      code: code?.text ?? '',
    })),
  )
  return {
    size: sections.length,
    search(query, skip = 0) {
      const found = index.search(query)
      const floor = (found[0]?.score ?? 0) * MIN_SHARE
      const worthy = found.filter(({ score }) => score >= floor)
      const hits = worthy
        .slice(skip, skip + HITS_A_SEARCH)
        .map(({ id, terms }) => quote(sections[id as number]!, terms))
      return { query, total: worthy.length, skipped: skip, hits }
    },
  }
}

function words(text: string): string[] {
  return text.match(/[\p{L}\p{N}_$@]+/gu) ?? []
}

/** The form in which a word is indexed and searched: its stem in lower case; filler words are left out. */
function term(word: string): string | null {
  const lower = word.toLowerCase()
  return isStopWord(lower) ? null : stem(lower)
}

/** An English word without its ending, so that `resume`, `resumes` and `resuming` are one. */
function stem(word: string): string {
  if (word.length < 4) return word
  const singular = word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word
  const root = /^(.{3,}?)(?:ing|ed|e)$/.exec(singular)?.[1] ?? singular
  // stopping, stopped: the consonant is doubled before the ending only.
  return root !== singular && /([bdgmnprt])\1$/.test(root) ? root.slice(0, -1) : root
}

function quote(section: Section, terms: readonly string[]): DocsHit {
  const { file, trail, paragraphs, code } = section
  return {
    file,
    trail: [...trail],
    quote: shorten(bestParagraph(paragraphs, new Set(terms))),
    ...(code && { code: { language: code.language, text: firstLines(code.text) } }),
  }
}

/** The paragraph with most of the words that matched; the first of equals, since openings say most. */
function bestParagraph(paragraphs: readonly string[], terms: ReadonlySet<string>): string {
  let best = ''
  let bestScore = -1
  for (const paragraph of paragraphs) {
    const present = new Set(words(paragraph).map(term))
    const score = [...terms].filter((word) => present.has(word)).length
    if (score > bestScore) {
      best = paragraph
      bestScore = score
    }
  }
  return best
}

/** Cut after a sentence where one ends late enough, else after a word. */
function shorten(text: string): string {
  if (text.length <= MAX_QUOTE) return text
  const cut = text.slice(0, MAX_QUOTE)
  const sentence = cut.lastIndexOf('. ')
  if (sentence > MAX_QUOTE / 2) return cut.slice(0, sentence + 1)
  return `${cut.slice(0, cut.lastIndexOf(' '))} …`
}

function firstLines(code: string): string {
  const lines = code.split('\n')
  return lines.length > MAX_CODE_LINES ? [...lines.slice(0, MAX_CODE_LINES), '…'].join('\n') : code
}
