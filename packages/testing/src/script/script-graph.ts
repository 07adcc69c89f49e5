import { RivuletError, type RunEvent, type RunOptions, type StreamableGraph } from '@rivulet/protocol'
import { compileRun } from './compile.ts'
import type { Gate } from './gate.ts'
import type { ScriptedRun } from './item.ts'
import type { Script } from './script.ts'

/** A graph that does what a script says, each thread from its beginning. */
export interface ScriptGraph extends StreamableGraph {
  /** The run that the next start on this thread gets; `undefined` when the script is over. */
  upcoming(thread: string): ScriptedRun | undefined
}

/** Where one thread stands in its script. */
interface Place {
  /** Index of the next run. */
  next: number
  /** Ids of interrupts nobody has answered. */
  asked: readonly string[]
}

/**
 * The graph of a script. Every event passes the gate; a cancelled run ends `cancelled` at once, and a run whose script
 * has no end waits for that. A run that the script does not have ends in `error`.
 */
export function scriptGraph(scriptFor: (thread: string) => Script, gate: Gate): ScriptGraph {
  const places = new Map<string, Place>()
  const placeOf = (thread: string) => {
    const place = places.get(thread) ?? { next: 0, asked: [] }
    places.set(thread, place)
    return place
  }
  return {
    upcoming: (thread) => scriptFor(thread).runs[placeOf(thread).next],
    async *events(input, { runId = 'run', threadId = '', signal, ...options }: RunOptions = {}) {
      const place = placeOf(threadId)
      const scripted = scriptFor(threadId).runs[place.next++]
      for (const event of eventsOf(scripted, place, { input, run: runId, ...options })) {
        await gate.pass(threadId, event, signal)
        if (signal?.aborted) break
        if (event.type === 'interrupt') place.asked = [...place.asked, event.id]
        yield event
        if (event.type === 'run.end') return
      }
      await aborted(signal)
      yield { type: 'run.end', run: runId, status: 'cancelled' }
    },
  }
}

function eventsOf(
  scripted: ScriptedRun | undefined,
  place: Place,
  { input, run, graph, modes }: Pick<RunOptions, 'graph' | 'modes'> & { input: unknown; run: string },
): RunEvent[] {
  const resume = isAnswer(input) ? place.asked : undefined
  if (resume !== undefined) place.asked = []
  const context = {
    run,
    ...(graph !== undefined && { graph }),
    ...(modes && { modes }),
    input,
    ...(resume && { resume }),
  }
  if (scripted !== undefined) return compileRun(scripted, context)
  const error = new RivuletError('INVALID_INPUT', 'a run was started that the script does not have', { run })
  return compileRun({ items: [{ do: 'end', status: 'error', error: error.toJSON() }] }, context)
}

/** A command of the runtime, by its structure, that answers interrupts. */
function isAnswer(input: unknown): boolean {
  return typeof input === 'object' && input !== null && '~command' in input && 'resume' in input
}

/** Resolves when the signal aborts; without one, never. */
function aborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) resolve()
    else signal?.addEventListener('abort', () => resolve(), { once: true })
  })
}
