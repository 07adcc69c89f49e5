import type { Timing } from '@rivulet/client'
import { RivuletError, type RunEvent, type StreamableGraph } from '@rivulet/protocol'
import type { Held } from '../script/gate.ts'
import type { Playables, Source } from './playable.ts'
import { tickFakeTimers } from './settle.ts'
import { createStage, type StageView } from './stage.ts'

/** Which thread is meant, when there are several. */
export interface PumpOptions {
  thread?: string
}

/**
 * Holds back what a script says until the test lets it through. Between two calls nothing happens and no time passes.
 * Deliveries (`memoryTransport`, `mswHandlers`, `serveScript`) bring it to a page; several may play the same threads.
 *
 * Every call waits until all has settled. With fake timers (vitest, jest, Sinon) a frame of 16 ms passes, too, so that a
 * page that draws once a frame has drawn. Over a real socket arrival is the system's affair: wait for what must appear.
 */
export interface Pump extends StageView {
  /** Lets one event through; `undefined` when nothing waits. */
  next(options?: PumpOptions): Promise<RunEvent | undefined>
  /** Lets events through up to and with the first of this type, or that fits. Throws `INVALID_INPUT` when none comes. */
  until(wanted: RunEvent['type'] | ((event: RunEvent) => boolean), options?: PumpOptions): Promise<RunEvent>
  /** Lets everything through that the script says before it waits for the page. */
  drain(options?: PumpOptions): Promise<readonly RunEvent[]>
  /** Moves time on: the delays of faults, those of a client that was given `timing`, and fake timers. Releases no event. */
  advance(ms: number): Promise<void>
  /** Waits until all has settled, and lets nothing through. */
  settle(): Promise<void>
}

/** A frame of a page drawn 60 times a second, in milliseconds. */
const FRAME_MS = 16

/**
 * A pump for a script or a tape, which every thread plays from its beginning, or for several by thread id; a thread that
 * is not among them is empty. It opens nothing and starts no timer. A run that plays by itself begins once its thread is
 * named here or was opened by a page. A graph runs as it would behind a server: of it, nothing is held back.
 */
export function pump(source: Playables | StreamableGraph): Pump {
  const stage = createStage(source)
  const { held } = stage
  const takeOne = async ({ thread }: PumpOptions): Promise<RunEvent | undefined> => {
    const find = (): Held | undefined => held.find((one) => thread === undefined || one.thread === thread)
    let found = find()
    if (found === undefined && stage.beginNext(thread)) {
      await stage.settled()
      found = find()
    }
    found?.release()
    if (found !== undefined) await stage.settled()
    return found?.event
  }
  const painted = async () => {
    await tickFakeTimers(FRAME_MS)
    await stage.settled()
  }
  const play = async (options: PumpOptions, isLast: (event: RunEvent) => boolean): Promise<RunEvent[]> => {
    await stage.settled()
    const played: RunEvent[] = []
    for (let event = await takeOne(options); event !== undefined; event = await takeOne(options)) {
      played.push(event)
      if (isLast(event)) break
    }
    await painted()
    return played
  }
  return {
    ...stage.view,
    next: async (options = {}) => (await play(options, () => true))[0],
    async until(wanted, options = {}) {
      const isWanted = typeof wanted === 'string' ? ({ type }: RunEvent) => type === wanted : wanted
      const played = await play(options, isWanted)
      const last = played.at(-1)
      if (last !== undefined && isWanted(last)) return last
      const told = played.map(({ type }) => type).join(', ') || 'nothing'
      const what = typeof wanted === 'string' ? wanted : 'the event that was waited for'
      throw new RivuletError('INVALID_INPUT', `${what} never came; the script said ${told} and then waits or is over`)
    },
    drain: (options = {}) => play(options, () => false),
    async advance(ms) {
      await stage.settled()
      await stage.clock.advance(ms, async (passedMs) => {
        await tickFakeTimers(passedMs)
        await stage.settled()
      })
    },
    async settle() {
      await stage.settled()
      await painted()
    },
  }
}

/** A pump that holds nothing back: what a delivery plays when it is given a script alone. Time is the platform's. */
export function freePump(source: Source, timing: Timing): Pump {
  const stage = createStage(source, timing)
  const nothing = () => Promise.resolve(undefined)
  return {
    ...stage.view,
    next: nothing,
    until: () => Promise.reject(new RivuletError('INVALID_INPUT', 'a script that plays by itself cannot be waited on')),
    drain: () => Promise.resolve([]),
    advance: nothing,
    settle: () => stage.settled(),
  }
}

/** Whether a delivery was given a pump, and not what to play. */
export function isPump(source: Pump | Source): source is Pump {
  return 'backend' in source
}
