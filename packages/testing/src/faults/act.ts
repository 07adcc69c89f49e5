import type { Frame } from '@rivulet/protocol'

/**
 * One thing that a backend does on a connection. A schedule is a list of them in order: a head, then frames or bytes,
 * then how it closes. What comes after `close` or `stall` is never done.
 */
export type Act =
  | { type: 'head'; status: number; headers: Readonly<Record<string, string>> }
  /** Events, not yet written as bytes. */
  | { type: 'frame'; frame: Frame }
  | { type: 'bytes'; bytes: Uint8Array }
  | { type: 'wait'; delayMs: number }
  /** Waits until another connection, opened after this one, has been answered to its end. */
  | { type: 'hold' }
  /** `fin` closes as after a whole answer, `rst` breaks the connection off. */
  | { type: 'close'; how: 'fin' | 'rst' }
  /** Nothing more comes, and nobody closes. */
  | { type: 'stall' }

/**
 * Something that goes wrong on a connection: a pure change of its schedule. `begin` gives, for one connection, the
 * function that each act passes in turn, and that answers what is done instead. `on` says what it works on: `frames`
 * before they are written, the `text` of an event stream, or any `bytes`, as they may come over a socket, too.
 */
export interface Fault {
  readonly on: 'frames' | 'text' | 'bytes'
  readonly begin: () => (act: Act) => readonly Act[]
}

/** A fault that can happen to any bytes, so also to those of a real socket. */
export interface ByteFault extends Fault {
  readonly on: 'bytes'
}

const ORDER: readonly Fault['on'][] = ['frames', 'text', 'bytes']

/**
 * The way of one connection's acts through its faults: those on frames, then the writing as bytes, then those on text,
 * then those on bytes; of one kind in the order given. After `close` or `stall` everything is dropped.
 */
export function createLine(faults: readonly Fault[], encode: (frame: Frame) => Uint8Array): (act: Act) => Act[] {
  const write = (act: Act): readonly Act[] =>
    act.type === 'frame' ? [{ type: 'bytes', bytes: encode(act.frame) }] : [act]
  const [onFrames = [], onText = [], onBytes = []] = ORDER.map((kind) =>
    faults.filter(({ on }) => on === kind).map((fault) => untilOver(fault.begin())),
  )
  const steps = [...onFrames, write, ...onText, ...onBytes]
  return untilOver((act) => steps.reduce<readonly Act[]>((acts, step) => acts.flatMap(step), [act]))
}

/** A whole schedule with these faults. Pure. */
export function withFaults(
  schedule: readonly Act[],
  faults: readonly Fault[],
  encode: (frame: Frame) => Uint8Array,
): Act[] {
  return schedule.flatMap(createLine(faults, encode))
}

function untilOver(step: (act: Act) => readonly Act[]): (act: Act) => Act[] {
  let isOver = false
  return (act) => {
    if (isOver) return []
    const done: Act[] = []
    for (const next of step(act)) {
      done.push(next)
      isOver = next.type === 'close' || next.type === 'stall'
      if (isOver) break
    }
    return done
  }
}
