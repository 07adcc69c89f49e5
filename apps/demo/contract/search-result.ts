import { z } from 'zod'

/** One section of the documentation that matched. */
const docsHit = z.object({
  /** Path from the repository's root, with `/`. */
  file: z.string(),
  /** Headings from the file's first down to this section's, outermost first. */
  trail: z.array(z.string()),
  /** The paragraph that matched best, as plain text. */
  quote: z.string(),
  /** The section's first code block, where it has one. */
  code: z.object({ language: z.string(), text: z.string() }).optional(),
})

/** What `search_docs` answers: the best sections first; `total` counts all that matched. */
export const searchResult = z.object({
  query: z.string(),
  total: z.number(),
  skipped: z.number(),
  hits: z.array(docsHit),
})

/** One section of the documentation that matched. */
export type DocsHit = z.infer<typeof docsHit>

/** See {@link searchResult}. */
export type SearchResult = z.infer<typeof searchResult>
