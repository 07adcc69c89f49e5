import { type RunEvent, type ThreadState } from '@rivulet/protocol'

/**
 * A run told again from its start, off screen: nothing is let through until it says as much as was shown, and then all of
 * it at once, in place of what was shown. So nothing flickers, and nothing is there twice.
 */
export interface Replay {
  /** Takes what came; answers what to show of it. */
  take(events: readonly RunEvent[]): readonly RunEvent[]
}

/** A replay of `run`, before which the thread was in `state`, and of which so many characters were shown. */
export function createReplay(run: string, state: ThreadState, shownLength: number): Replay {
  let hidden: RunEvent[] | undefined = []
  let length = 0
  return {
    take(events) {
      if (hidden === undefined) return events
      hidden.push(...events)
      length += textLength(events)
      if (length < shownLength && !events.some(({ type }) => type === 'run.end')) return []
      const told = [rewindTo(run, state), ...hidden]
      hidden = undefined
      return told
    },
  }
}

/** Characters that events add to messages. */
export function textLength(events: readonly RunEvent[]): number {
  return events.reduce((sum, event) => sum + (event.type === 'message.delta' ? event.text.length : 0), 0)
}

/** The thread as it was. */
function rewindTo(run: string, { spaces, settled }: ThreadState): RunEvent {
  const { values = {}, lists = {}, pending = [] } = spaces.get('') ?? {}
  const ids = new Set([...Object.values(lists).flat(), ...pending])
  const messages = [...ids].flatMap((id) => settled.get(id)?.message ?? [])
  // What no list had taken yet keeps its place at the end of the page's own.
  const shown = pending.length === 0 ? lists : { ...lists, messages: [...(lists['messages'] ?? []), ...pending] }
  return { type: 'rewind', run, to: null, reason: 'recovery', state: { values, lists: shown, messages } }
}
