import { memo, type ReactNode } from 'react'
import ReactMarkdown, { type Components } from 'react-markdown'
import rehypeSanitize from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { SideScroll } from '../side-scroll.tsx'
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
    <SideScroll label="Table">
      <table>{children}</table>
    </SideScroll>
  ),
  pre: ({ children }) => (
    <SideScroll label="Code">
      <pre>{children}</pre>
    </SideScroll>
  ),
  // The list of tasks that a model writes is for reading.
  input: ({ checked }) => <input type="checkbox" checked={checked} disabled aria-label={checked ? 'Done' : 'To do'} />,
  // Below the page's own headings, of which the message's is the third.
  h1: ({ children }) => <h4>{children}</h4>,
  h2: ({ children, className }) => <h5 className={className}>{children}</h5>,
  h3: ({ children }) => <h6>{children}</h6>,
  h4: ({ children }) => <h6>{children}</h6>,
  h5: ({ children }) => <h6>{children}</h6>,
}
