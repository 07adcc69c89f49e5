import type { Frame } from '@rivulet/protocol'

/**
 * Hands each frame to `take` until that answers `true`, which is what it resolves with; `false` when the frames end
 * before. Rejects with the signal's reason as soon as it aborts, also when the iterator does not listen to it.
 */
export async function readFrames(
  open: () => AsyncIterable<Frame>,
  signal: AbortSignal,
  take: (frame: Frame) => boolean,
): Promise<boolean> {
  signal.throwIfAborted()
  const iterator = open()[Symbol.asyncIterator]()
  let rejectNext: (reason: unknown) => void = () => {}
  const onAbort = () => rejectNext(signal.reason)
  signal.addEventListener('abort', onAbort)
  try {
    for (;;) {
      const next = await new Promise<IteratorResult<Frame>>((resolve, reject) => {
        rejectNext = reject
        iterator.next().then(resolve, reject)
      })
      // A frame that was already on its way when the reader stopped is no longer wanted.
      signal.throwIfAborted()
      if (next.done) return false
      if (take(next.value)) return true
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    letGo(iterator)
  }
}

/** Ends the iterator without waiting for it: one that ignores its signal must not hold up who reads it. */
function letGo(iterator: AsyncIterator<Frame>): void {
  const ended = async () => {
    await iterator.return?.()
  }
  ended().catch(() => {})
}
