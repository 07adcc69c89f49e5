import type { ReactNode } from 'react'
import { numberText } from '../../contract/number-text.ts'
import type { Progress } from './read-progress.ts'

/** How far a tool is: a bar with its figures, readable for assistive technology. */
export function ProgressBar({ done, total, message }: Progress): ReactNode {
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 0
  const figures = `${numberText(done)} of ${numberText(total)}`
  return (
    <div className="progress">
      <div
        className="progress-track"
        // A native progress element cannot be styled alike in all browsers.
        // oxlint-disable-next-line jsx-a11y/prefer-tag-over-role
        role="progressbar"
        aria-label={message || 'Progress'}
        aria-valuemin={0}
        aria-valuemax={total}
        aria-valuenow={done}
        aria-valuetext={figures}
      >
        <div className="progress-fill" style={{ transform: `scaleX(${share})` }} />
      </div>
      <span>
        {message}
        {message && ' · '}
        {figures}
      </span>
    </div>
  )
}
