import type { RivuletError } from '@rivulet/protocol'
import type { ReactNode } from 'react'
import { Icon } from '../icons.tsx'
import { failureWords } from './failure-words.ts'

/** Says what failed and offers to try again. */
export function Failure({ error, onRetry }: { error: RivuletError; onRetry: () => void }): ReactNode {
  return (
    <div className="notice" role="alert">
      <p>{failureWords(error)}</p>
      <button type="button" className="button" onClick={onRetry}>
        <Icon name="retry" />
        Try again
      </button>
    </div>
  )
}
