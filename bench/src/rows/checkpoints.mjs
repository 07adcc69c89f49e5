import { setImmediate } from 'node:timers/promises'
import { core } from '../production.mjs'
import { bytesHeld } from '../heap.mjs'
import { langgraph, ours, sketched } from './growing.mjs'
import { atMost, drain } from './row.mjs'

/** @typedef {import('./row.mjs').Row} Row */
/** @typedef {import('./row.mjs').Meter} Meter */

const STEPS = 1_000
const MIB = 1024 * 1024
/** Threads held at once where one is small. */
const MANY = 20

/**
 * @param {number} steps
 * @param {(appended: number) => void} [beforeStep]
 */
const from0 = (steps, beforeStep = () => {}) => ({ history: 0, steps, beforeStep })

/**
 * Each run writes a thread of its own into a new checkpointer.
 *
 * @param {import('./growing.mjs').Growth} growth
 */
async function oursRun(growth) {
  const { MemoryCheckpointer } = await core()
  return async () => {
    const checkpointer = new MemoryCheckpointer()
    const stream = await ours(growth, checkpointer)
    return { checkpointer, stream: stream('thread') }
  }
}

/** @param {import('./growing.mjs').Growth} growth */
async function langgraphRun(growth) {
  const { MemorySaver } = await import('@langchain/langgraph')
  return async () => {
    const checkpointer = new MemorySaver()
    const stream = await langgraph(growth, checkpointer)
    return { checkpointer, stream: await stream('thread') }
  }
}

/**
 * What a checkpointer with one thread holds, in MiB: the mean of several, behind a first run that made what is made once.
 *
 * @param {number} threads as many as it takes to rise above what a process allocates by itself
 * @param {() => Promise<{ checkpointer: object, stream: AsyncIterable<unknown> }>} run
 */
async function held(threads, run) {
  await drain((await run()).stream)
  const kept = []
  const before = bytesHeld()
  for (let i = 0; i < threads; i++) {
    const { checkpointer, stream } = await run()
    kept.push(checkpointer)
    await drain(stream)
  }
  // What a WeakRef holds is held until the end of a turn of the event loop.
  await setImmediate()
  const after = bytesHeld()
  // Counted behind the measurement, so that none of them can be collected before.
  return (after - before) / MIB / kept.length
}

/**
 * The steps between two places of a long thread.
 *
 * @param {number} first
 * @param {number} steps
 * @returns {Promise<import('./row.mjs').Work>}
 */
async function window(first, steps) {
  /** @type {Meter | undefined} */
  let clock
  const run = await oursRun(
    from0(first + steps, (appended) => {
      if (appended === first) clock?.start()
      if (appended === first + steps) clock?.stop()
    }),
  )
  return async (meter) => {
    clock = meter
    return (await drain((await run()).stream)) - first
  }
}

/** @type {Row[]} */
export const rows = [
  {
    name: 'checkpoints/1000',
    unit: 'µs CPU a step',
    size: STEPS,
    smokeSize: 5,
    warmSize: 100,
    kind: 'cpu',
    subjects: {
      sketch: async (steps) => () => drain(sketched(from0(steps), [])),
      ours: async (steps) => {
        const run = await oursRun(from0(steps))
        return async () => drain((await run()).stream)
      },
      peer: async (steps) => {
        const run = await langgraphRun(from0(steps))
        return async () => drain((await run()).stream)
      },
    },
    targets: [atMost('LangGraph / 40', (of) => of('peer') / 40)],
  },
  {
    name: 'checkpoints/held',
    unit: `MiB held by ${STEPS} steps`,
    size: STEPS,
    smokeSize: 5,
    kind: 'gauge',
    subjects: {
      sketch: (steps) =>
        held(MANY, async () => {
          /** @type {{}[]} */
          const checkpointer = []
          return { checkpointer, stream: sketched(from0(steps), checkpointer) }
        }),
      ours: async (steps) => held(MANY, await oursRun(from0(steps))),
      peer: async (steps) => held(1, await langgraphRun(from0(steps))),
    },
    targets: [atMost('3 MiB', () => 3)],
  },
  {
    name: 'checkpoints/held-half',
    unit: `MiB held by ${STEPS / 2} steps`,
    size: STEPS / 2,
    smokeSize: 5,
    kind: 'gauge',
    subjects: { ours: async (steps) => held(MANY, await oursRun(from0(steps))) },
    targets: [
      atMost(
        'flat: the second half holds at most 1.2 x the first',
        (of) => of('ours') * 1.2,
        (of) => of('ours', 'checkpoints/held') - of('ours'),
      ),
    ],
  },
  {
    name: 'checkpoints/early',
    unit: 'µs CPU a step, 100 to 200',
    size: 100,
    smokeSize: 5,
    kind: 'cpu',
    subjects: { ours: (steps) => window(steps, steps) },
    targets: [],
  },
  {
    name: 'checkpoints/late',
    unit: 'µs CPU a step, 900 to 1,000',
    size: 100,
    smokeSize: 5,
    kind: 'cpu',
    subjects: { ours: (steps) => window(9 * steps, steps) },
    targets: [atMost('flat: 1.2 x an early step', (of) => of('ours', 'checkpoints/early') * 1.2)],
  },
]
