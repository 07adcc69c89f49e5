import type { RunEvent } from '@rivulet/protocol'

/** An event that a script is about to say. */
export interface Held {
  readonly thread: string
  readonly event: RunEvent
  /** Lets it through. */
  readonly release: () => void
}

/** Where scripts wait before each event. */
export interface Gate {
  /** Resolves when the event may be said, or the signal aborted. */
  pass(thread: string, event: RunEvent, signal: AbortSignal | undefined): Promise<void>
}

/** A gate that somebody else opens, event by event. */
export interface HandGate extends Gate {
  /** Events that wait, the one that came first at the front. */
  readonly held: readonly Held[]
}

/** A gate that holds everything back. */
export function handGate(onHold: () => void): HandGate {
  const held: Held[] = []
  return {
    held,
    pass(thread, event, signal) {
      return new Promise((resolve) => {
        const entry: Held = { thread, event, release: leave }
        function leave(): void {
          const place = held.indexOf(entry)
          if (place !== -1) held.splice(place, 1)
          signal?.removeEventListener('abort', leave)
          resolve()
        }
        held.push(entry)
        signal?.addEventListener('abort', leave)
        if (signal?.aborted) leave()
        onHold()
      })
    },
  }
}
