import type { ReactNode } from 'react'
import { namedArguments } from './named-arguments.ts'

/** What a tool was called with: names and values, or the text as it arrives while it is not complete. */
export function CallArguments({ args }: { args: string }): ReactNode {
  const named = namedArguments(args)
  if (named === undefined) return args.trim() === '' ? null : <code className="tool-arguments">{args}</code>
  if (named.length === 0) return null
  return (
    <dl className="tool-arguments">
      {named.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
