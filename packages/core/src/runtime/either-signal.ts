import type { Attempt } from './attempt.ts'
import { onAbort } from './on-abort.ts'

/** Fires with one of these signals while the attempt goes on. Then it lets go of them: they may outlive it. */
export function eitherSignal(attempt: Attempt, ...signals: AbortSignal[]): AbortSignal {
  const either = new AbortController()
  const offs = signals.map((signal) => onAbort(signal, () => either.abort(signal.reason)))
  attempt.onClose(() => {
    for (const off of offs) off()
  })
  return either.signal
}
