import type { StreamableGraph } from '@rivulet/protocol'
import { scriptOf, type Script } from '../script/script.ts'
import { scriptOfTape } from '../tape/script-of-tape.ts'
import type { Tape } from '../tape/tape.ts'

/** What can be played: a script that was written, or a tape that was recorded. */
export type Playable = Script | Tape

/** What deliveries bring to a page by itself: something to be played, or a graph that runs as it would behind a server. */
export type Source = Playable | StreamableGraph

/** One for every thread, or several by thread id. */
export type Playables = Playable | Readonly<Record<string, Playable>>

/** Whether it is a graph, and not something to be played. */
export function isGraph(source: Playables | StreamableGraph): source is StreamableGraph {
  return typeof ('events' in source ? source.events : undefined) === 'function'
}

/** The script of each thread; a thread that is not among those named has an empty one. */
export function scriptsOf(source: Playables): (thread: string) => Script {
  if (isPlayable(source)) {
    const only = asScript(source)
    return () => only
  }
  const byThread = new Map(Object.entries(source).map(([thread, playable]) => [thread, asScript(playable)]))
  const nothing = scriptOf([])
  return (thread) => byThread.get(thread) ?? nothing
}

/** Whether it is one for every thread. */
export function isPlayable(source: Playables): source is Playable {
  return Array.isArray('runs' in source ? source.runs : source['events'])
}

function asScript(playable: Playable): Script {
  return 'runs' in playable ? playable : scriptOfTape(playable)
}
