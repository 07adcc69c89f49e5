import type { StartRequest, Transport } from '@rivulet/client'
import { toRivuletError } from '@rivulet/protocol'
import { z } from 'zod'

/** Starts of runs that the server has not taken yet. */
export interface UnsentStarts {
  /** The start that was under way on this thread when its page went. */
  of: (thread: string) => UnsentStart | undefined
  keep: (thread: string, start: StartRequest) => void
  drop: (thread: string) => void
}

/** What has to be sent again, under the same id, so that nothing happens twice. */
export type UnsentStart = z.infer<typeof unsentStart>

const unsentStart = z.object({ run: z.string(), input: z.unknown() })
const KEY = 'unsent-start:'

/**
 * Keeps starts in `storage`, one a thread: with a tab's own storage they survive its reload. What does not fit, such as
 * a large file, or is not allowed there is not kept, and then a reload loses it.
 */
export function unsentStarts(storage: Storage): UnsentStarts {
  return {
    of: (thread) => readStart(storage.getItem(KEY + thread)),
    keep(thread, { run, input }) {
      try {
        storage.setItem(KEY + thread, JSON.stringify({ run, input } satisfies UnsentStart))
      } catch {
        storage.removeItem(KEY + thread)
      }
    },
    drop: (thread) => storage.removeItem(KEY + thread),
  }
}

function readStart(text: string | null): UnsentStart | undefined {
  if (text === null) return undefined
  try {
    return unsentStart.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A transport that keeps each start until the server has answered it: taken, refused, or stopped by the person. */
export function keepingTransport(base: Transport, unsent: UnsentStarts): Transport {
  return {
    ...base,
    async *open(request, options) {
      const { thread, start } = request
      if (!start) {
        yield* base.open(request, options)
        return
      }
      unsent.keep(thread, start)
      let isAnswered = false
      try {
        for await (const frame of base.open(request, options)) {
          if (!isAnswered && frame.type !== 'retry') {
            isAnswered = true
            unsent.drop(thread)
          }
          yield frame
        }
      } catch (error) {
        if (!toRivuletError(error, 'DISCONNECTED', { retryable: true }).retryable) unsent.drop(thread)
        throw error
      } finally {
        if (options.signal.aborted) unsent.drop(thread)
      }
    },
  }
}
