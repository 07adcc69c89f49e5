import type { RivuletError } from '@rivulet/protocol'
import type { ReactNode } from 'react'
import { Icon } from '../icons.tsx'
import { failureWords } from './failure-words.ts'

/** Says what failed and in which node, and offers to try again where that can help. */
export function Failure({ error, onRetry }: { error: RivuletError; onRetry: () => void }): ReactNode {
  return (
    <div className="notice" role="alert">
      <p>{failureWords(error)}</p>
      {error.code !== 'NOT_FOUND' && (
        <button type="button" className="button" onClick={onRetry}>
          <Icon name="retry" />
          Try again
        </button>
      )}
      {error.node !== undefined && (
        <small className="failure-source">
          Node <code>{error.node}</code>, <code>{error.code}</code>
        </small>
      )}
    </div>
  )
}
