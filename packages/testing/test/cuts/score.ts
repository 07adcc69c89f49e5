import { seededRandom } from '../../src/faults/random.ts'
import type { CutKind } from '../../src/index.ts'
import { loopback, type Loopback, type Wire } from './loopback.ts'
import type { Recording } from './recordings.ts'
import { scoreOf, type Cut, type Outcome, type Score } from './session.ts'

/** Which places of each run's first connection are cut, and how. */
export interface Sample {
  /** Seeded bytes. */
  readonly bytes: number
  /** Borders between events, seeded; `Infinity` for all. */
  readonly borders: number
  /** `each` place is cut in all three ways, or one place after the other in another way: `in turn`. */
  readonly kinds: 'each' | 'in turn'
}

/** The ways in which a connection ends before its time. */
export const KINDS: readonly CutKind[] = ['fin', 'rst', 'stall']

/** Scores of sessions over real sockets, by the way of the cut. `lanes` sessions go on at once. */
export async function scoreOverSockets(
  recordings: readonly Recording[],
  wire: Wire,
  sample: Sample,
  lanes: number,
): Promise<Readonly<Record<CutKind, Score>>> {
  const sockets = await Promise.all(Array.from({ length: lanes }, loopback))
  const outcomes: Record<CutKind, Outcome[]> = { fin: [], rst: [], stall: [] }
  try {
    const cuts: (Cut & { recording: Recording })[] = []
    for (const recording of recordings) cuts.push(...(await cutsOf(recording, sockets[0]!, wire, sample, cuts.length)))
    const next = cuts.values()
    await Promise.all(
      sockets.map(async (lane) => {
        for (const { recording, ...cut } of next) outcomes[cut.kind].push(await lane.session(recording, cut, wire))
      }),
    )
  } finally {
    await Promise.all(sockets.map((lane) => lane.close()))
  }
  return { fin: scoreOf(outcomes.fin), rst: scoreOf(outcomes.rst), stall: scoreOf(outcomes.stall) }
}

/** The cuts of a recording. A session at a time goes over a loopback, so they are measured one by one. */
async function cutsOf(
  recording: Recording,
  sockets: Loopback,
  wire: Wire,
  sample: Sample,
  seed: number,
): Promise<(Cut & { recording: Recording })[]> {
  const random = seededRandom(seed)
  const list: (Cut & { recording: Recording })[] = []
  for (const { id: run } of recording.runs) {
    for (const [i, kind] of KINDS.entries()) {
      const { length, borders } = await sockets.measure(recording, run, kind, wire)
      const bytes = Array.from({ length: Math.min(sample.bytes, length) }, () => Math.floor(random() * length))
      const some =
        sample.borders >= borders.length
          ? borders
          : Array.from({ length: sample.borders }, () => borders[Math.floor(random() * borders.length)]!)
      const places = [...new Set([...bytes, ...some])]
      const taken = sample.kinds === 'each' ? places : places.filter((_at, n) => (seed + n) % KINDS.length === i)
      list.push(...taken.map((at) => ({ recording, run, at, kind })))
    }
  }
  return list
}
