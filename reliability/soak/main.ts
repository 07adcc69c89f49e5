import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { seeded } from '../stack/seeded.ts'
import { startServer, type Server } from './servers.ts'
import { slopeOf, type Sample } from './slope.ts'
import { talk, type Tally } from './talk.ts'

/** `main <server program> <minutes> <streams> <seed>`: see `soak.mjs`. Prints what came of it, as JSON. */
const [program = '', minutes = '10', streams = '200', seed = '1'] = process.argv.slice(2)
const KILL_MS = 10_000
const SAMPLE_MS = 10_000
/** Minutes after which sizes have settled: a quarter, but no more than three. */
const warmUp = Math.min(3, Number(minutes) / 4)

const handles = (): { [kind: string]: number } => {
  const counts: { [kind: string]: number } = {}
  for (const kind of process.getActiveResourcesInfo()) counts[kind] = (counts[kind] ?? 0) + 1
  return counts
}

const folder = await mkdtemp(join(tmpdir(), 'rivulet-soak-'))
const killed = await startServer(program, join(folder, 'threads.db'))
const steady = await startServer(program)
// As it will be measured in the end: after a kill, and with the pipes that are opened when they are first looked at.
await killed.kill()
void [process.stdout, process.stderr]
const before = handles()
const began = performance.now()
const minutesGone = () => (performance.now() - began) / 60_000
let isOver = false
const tally: Tally = { runs: 0, mismatches: [], cuts: 0, errors: {} }
const random = seeded(Number(seed))
const talks = Array.from({ length: Number(streams) }, (_, i) => {
  const { url } = i % 2 === 0 ? killed : steady
  return talk(url, `s${i}`, seeded(random.below(2 ** 31)), tally, () => isOver)
})
const client: Sample[] = []
const server: Sample[] = []
await Promise.all([killing(killed), sampling(steady)])
isOver = true
await Promise.all(talks)
// Connections that are kept for the next request go by themselves.
await sleep(6000)
const after = handles()
const { openStreams } = await steady.measure()
const settled = (samples: readonly Sample[]) => samples.filter((sample) => sample.minutes > warmUp)
process.stdout.write(
  JSON.stringify({
    minutes: Number(minutes),
    streams: Number(streams),
    runs: tally.runs,
    kills: killed.kills - 1,
    cuts: tally.cuts,
    errors: tally.errors,
    mismatches: tally.mismatches,
    heap: {
      clients: { slope: slopeOf(settled(client)), samples: client },
      server: { slope: slopeOf(settled(server)), samples: server },
    },
    handles: { before, after },
    openStreams,
  }),
)
await Promise.all([killed.close(), steady.close()])
await rm(folder, { recursive: true })

/** Kills the server every so often, as suddenly as the system can. */
async function killing(victim: Server): Promise<void> {
  while (minutesGone() < Number(minutes)) {
    await sleep(KILL_MS * (0.5 + random.next()))
    await victim.kill()
  }
}

async function sampling(measured: Server): Promise<void> {
  while (minutesGone() < Number(minutes)) {
    await sleep(SAMPLE_MS)
    globalThis.gc?.()
    client.push({ minutes: minutesGone(), megabytes: process.memoryUsage().heapUsed / 1e6 })
    server.push({ minutes: minutesGone(), megabytes: (await measured.measure()).heapBytes / 1e6 })
  }
}
