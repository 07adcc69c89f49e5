import { render } from '@testing-library/react'
import { memo, Profiler, type ComponentType, type ReactElement, type ReactNode } from 'react'

/** How a hook is rendered. */
export interface RenderStreamOptions<T> {
  /** Put around it, such as a provider or `StrictMode`. */
  wrapper?: ComponentType<{ children: ReactNode }>
  /** The messages in what the hook returns, each with an `id`. Default: its `messages`, when it has any. */
  messagesOf?: (result: T) => readonly { id: string }[]
}

/** A hook on a page of its own, and what that page has done. */
export interface RenderedStream<T> {
  /** What the hook returned in the last commit. */
  readonly current: T
  /** What it returned in each commit since the counts began, oldest first. */
  readonly results: readonly T[]
  /** Renders of the component that calls the hook, since the counts began. */
  readonly renders: number
  /** Times that anything of the page was committed, since the counts began. */
  readonly commits: number
  /** Renders of each message's row, by id, since the counts began. A row renders when its message is another object. */
  readonly messageRenders: Readonly<Record<string, number>>
  /** How many different objects a part of the results has been: 1 for what keeps its identity. */
  identities(part: (result: T) => unknown): number
  /** Counts begin anew from here. */
  resetCounts(): void
  /** Renders it again, as when its parent renders. */
  rerender(): void
  unmount(): void
}

/**
 * Renders a hook that returns a thread on a page that shows a row for each of its messages, and counts what the page
 * does. It works with any hook whose messages have ids. Needs jsdom, and `@testing-library/react`, which cleans up.
 */
export function renderStream<T>(useHook: () => T, options: RenderStreamOptions<T> = {}): RenderedStream<T> {
  const { wrapper, messagesOf = messagesIn } = options
  const counts = { renders: 0, commits: 0, messages: new Map<string, number>() }
  let results: T[] = []
  let current: { result: T } | undefined
  let rendered: { result: T } | undefined

  const Row = memo(function Row({ message }: { message: { id: string } }): ReactNode {
    counts.messages.set(message.id, (counts.messages.get(message.id) ?? 0) + 1)
    return <li>{message.id}</li>
  })
  function Page(): ReactNode {
    const result = useHook()
    rendered = { result }
    counts.renders++
    return messagesOf(result).map((message) => <Row key={message.id} message={message} />)
  }
  const onCommit = () => {
    counts.commits++
    current = rendered
    // The page was rendered before it was committed.
    if (current !== undefined) results.push(current.result)
  }
  const page = (): ReactElement => (
    <Profiler id="stream" onRender={onCommit}>
      <Page />
    </Profiler>
  )
  const { rerender, unmount } = render(page(), wrapper && { wrapper })
  return {
    get current() {
      if (current === undefined) throw new Error('the hook was never committed: it suspends or throws')
      return current.result
    },
    get results() {
      return results
    },
    get renders() {
      return counts.renders
    },
    get commits() {
      return counts.commits
    },
    get messageRenders() {
      return Object.fromEntries(counts.messages)
    },
    identities: (part) => new Set(results.map(part)).size,
    resetCounts() {
      results = current === undefined ? [] : [current.result]
      counts.renders = 0
      counts.commits = 0
      counts.messages.clear()
    },
    rerender: () => rerender(page()),
    unmount,
  }
}

function messagesIn(result: unknown): readonly { id: string }[] {
  const messages: unknown = typeof result === 'object' && result !== null && 'messages' in result ? result.messages : []
  // The hooks of streams give their messages ids; rows without one could not be told apart.
  return Array.isArray(messages) ? (messages as { id: string }[]) : []
}
