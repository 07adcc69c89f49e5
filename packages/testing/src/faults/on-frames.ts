import type { Frame, RivuletEvent } from '@rivulet/protocol'
import type { Act, Fault } from './act.ts'

/** Works on each event of the log in turn, counted from 1 on this connection; what answers `undefined` stays as it is. */
export function onEvents(
  change: (event: RivuletEvent, place: number, log: string) => readonly Act[] | undefined,
): Fault {
  return {
    on: 'frames',
    begin() {
      let place = 0
      return (act) => {
        if (act.type !== 'frame' || act.frame.type !== 'events') return [act]
        const { log, events } = act.frame
        const acts: Act[] = []
        let kept: RivuletEvent[] = []
        const flush = () => {
          if (kept.length > 0) acts.push(frameOf(log, kept))
          kept = []
        }
        for (const event of events) {
          const changed = event.type === 'sync' ? undefined : change(event, ++place, log)
          if (changed === undefined) kept.push(event)
          else {
            flush()
            acts.push(...changed)
          }
        }
        flush()
        return acts
      }
    },
  }
}

/** These events as one frame. */
export function frameOf(log: string, events: readonly RivuletEvent[]): { type: 'frame'; frame: Frame } {
  return { type: 'frame', frame: { type: 'events', log, events } }
}

/** Answers something else altogether. */
export function instead(acts: readonly Act[]): Fault {
  return { on: 'frames', begin: () => () => acts }
}
