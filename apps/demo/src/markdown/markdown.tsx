import { memo, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { safeUrl } from './safe-url.ts'

/**
 * Markdown with GitHub's tables and lists, safe whatever it says: raw HTML and images do not pass, links lead only to
 * the web or to mail and open in a tab of their own. Rendered again only when the text changed.
 */
export const Markdown = memo(function Markdown({ text }: { text: string }): ReactNode {
  return (
    <div className="markdown">
      <ReactMarkdown
        remarkPlugins={remarkPlugins}
        rehypePlugins={rehypePlugins}
        components={components}
        urlTransform={safeUrl}
        skipHtml
      >
        {text}
      </ReactMarkdown>
    </div>
  )
})

const remarkPlugins = [remarkGfm]
const rehypePlugins = [rehypeSanitize]

const components: Components = {
  a: ({ href, children }) =>
    href ? (
      <a href={href} target="_blank" rel="noopener noreferrer nofollow">
        {children}
      </a>
    ) : (
      <span>{children}</span>
    ),
  // An image's address can carry what is on the page to somebody else, so only its words are shown.
  img: ({ alt }) => <>{alt}</>,
  table: ({ children }) => (
    // A wide table scrolls, so it takes the focus for those who scroll by keyboard.
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <section className="table-scroll" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </section>
  ),
}
