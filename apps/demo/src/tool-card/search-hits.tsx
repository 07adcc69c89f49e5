import type { ReactNode } from 'react'
import type { DocsHit, SearchResult } from '../../contract/search-result.ts'

/** Sections of the documentation that a search quotes, each with its place. */
export function SearchHits({ query, hits }: SearchResult): ReactNode {
  if (hits.length === 0) return <p>Nothing matches “{query}”.</p>
  return (
    <ul className="hits">
      {hits.map((hit) => (
        <Hit key={`${hit.file} ${hit.trail.join(' ')} ${hit.quote}`} {...hit} />
      ))}
    </ul>
  )
}

function Hit({ file, trail, quote }: DocsHit): ReactNode {
  return (
    <li className="hit">
      <p className="hit-place">
        <strong>{trail.at(-1) ?? file}</strong> · {file}
      </p>
      {quote && <blockquote>{quote}</blockquote>}
    </li>
  )
}
