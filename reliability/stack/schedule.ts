import { createClient, type ThreadStore } from '@rivulet/client'
import { createApp, memoryStore } from '@rivulet/server'
import { badNetwork, type Trouble } from './bad-network.ts'
import { randomGraph } from './random-graph.ts'
import { recordedStore, told, type Record } from './recorded-store.ts'
import { seeded, type Seeded } from './seeded.ts'
import { takePlatform } from './take-platform.ts'
import { virtualTime, type VirtualTime } from './virtual-time.ts'

/** What came of one schedule. */
export interface Outcome {
  readonly exchanges: number
  readonly events: number
  /** States that a page was shown and that were held against the log. */
  readonly states: number
  /** Typed errors that a page was told, by code. */
  readonly errors: Readonly<{ [code: string]: number }>
}

interface Viewer {
  readonly thread: ThreadStore
  readonly leave: () => void
}

const MULTITASK = ['reject', 'enqueue', 'interrupt', 'rollback'] as const
const THREAD = 'thread'
/** How often a person asks a page again that has given up. */
const MAX_RETRIES = 50

/**
 * One conversation through the whole stack, in memory and on virtual time: a random graph, its log, the server, a bad
 * network, and pages that come, ask, answer, stop and leave. Throws when a page was ever shown what the log never said,
 * was told an untyped error, or does not come to what the log says in the end.
 */
export async function runSchedule(seed: number): Promise<Outcome> {
  const random = seeded(seed)
  const time = virtualTime(() => random.next())
  const giveBack = takePlatform(time, random)
  const stage = new Stage(random, time)
  let isOver = false
  const story = stage.tell().finally(() => (isOver = true))
  // Looked at below, once time has brought it to its end.
  story.catch(() => undefined)
  try {
    await time.runUntil(() => isOver || stage.wrong !== undefined)
    if (isOver) await story
    stage.check()
    return stage.outcome()
  } catch (cause) {
    throw new Error(`seed ${seed}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  } finally {
    giveBack()
    await stage.close()
  }
}

class Stage {
  wrong: string | undefined
  readonly #random: Seeded
  readonly #time: VirtualTime
  readonly #app
  readonly #records
  readonly #viewers: Viewer[] = []
  readonly #errors: { [code: string]: number } = {}
  #exchanges = 0
  #states = 0
  #retries = 0
  /** Acts of people that are still to come. */
  #planned = 0
  /** Pages that were sent an event whose fields make no sense, or mean something else. */
  readonly #misled = new Set<ThreadStore>()
  /** A garbled event is skipped and counted, so that what is shown is not a state of the log. */
  readonly #isGarbling: boolean

  constructor(random: Seeded, time: VirtualTime) {
    this.#random = random
    this.#time = time
    this.#isGarbling = random.chance(0.1)
    const bounded = random.chance(0.2) ? { log: { maxEvents: 10 + random.below(60) } } : {}
    const { store, records } = recordedStore(memoryStore(bounded), time)
    this.#records = records
    const onError = (error: unknown) => (this.wrong ??= `the server failed: ${String(error)}`)
    this.#app = createApp({ graphs: { any: randomGraph(random, time) }, store, onError, now: () => time.epochMs() })
  }

  get #record(): Record | undefined {
    return this.#records.get(THREAD)
  }

  /** What people do. */
  async tell(): Promise<void> {
    const random = this.#random
    const first = this.#enter()
    for (let turn = 0; turn <= random.below(2); turn++) {
      const asked = first.thread.getSnapshot().interrupts.length > 0
      const run = asked ? first.thread.submit(undefined, { resume: 'yes' }) : first.thread.submit({ messages: 'hi' })
      if (random.chance(0.4)) this.#later(() => this.#enter())
      if (random.chance(0.15)) this.#later(() => void first.thread.stop())
      if (random.chance(0.3)) this.#later(() => this.#viewers.at(-1) !== first && this.#viewers.pop()?.leave())
      if (random.chance(0.15))
        this.#later(() => first.thread.submit({ messages: 'wait' }, { multitask: random.pick(MULTITASK) }))
      await run.result
      await this.#atRest()
    }
    this.#enter()
    await this.#atRest()
  }

  /** Holds what every page shows in the end against the log. */
  check(): void {
    if (this.wrong !== undefined) throw new Error(this.wrong)
    for (const { thread } of this.#viewers) {
      const { state } = thread.getSnapshot()
      // A run that was stopped before it reached the server left no thread at all.
      if (this.#record === undefined && state.log === '') continue
      if (this.#misled.has(thread)) continue
      const [shown, kept] = [told(state), this.#toldAtEnd()]
      if (shown !== kept) throw new Error(`a page ends in another state than the log: ${differenceOf(shown, kept)}`)
    }
  }

  outcome(): Outcome {
    const events = this.#record?.events.length ?? 0
    return { exchanges: this.#exchanges, events, states: this.#states, errors: this.#errors }
  }

  async close(): Promise<void> {
    for (const { leave } of this.#viewers) leave()
    await this.#app.close({ graceMs: 0 })
  }

  #toldAtEnd(): string {
    const record = this.#record
    return record === undefined ? '' : record.toldAt(record.log.head())
  }

  #later(act: () => unknown): void {
    this.#planned++
    this.#time.after(this.#random.below(200), () => {
      this.#planned--
      act()
    })
  }

  /** A page opens. */
  #enter(): Viewer {
    const random = seeded(this.#random.below(2 ** 31))
    const troubles = random.below(6)
    const plan = (exchange: number): Trouble => {
      this.#exchanges++
      const trouble = exchange < troubles ? anyTrouble(random, this.#isGarbling) : {}
      if (trouble.blocks?.what === 'garble') this.#misled.add(thread)
      return trouble
    }
    const client = createClient({
      url: 'http://server.test',
      fetch: badNetwork((request) => this.#app.fetch(request), plan, this.#time, random),
      headers: () => ({ authorization: 'someone' }),
      timing: this.#time,
    })
    const onError = ({ code }: { code?: unknown }) => {
      if (typeof code !== 'string') this.wrong ??= 'a page was told an error without a code'
      else this.#errors[code] = (this.#errors[code] ?? 0) + 1
    }
    const thread = client.thread({ graph: 'any', threadId: THREAD, onError })
    thread.subscribe(() => this.#look(thread))
    const leave = thread.follow()
    const viewer = {
      thread,
      leave: () => {
        leave()
        thread.dispose()
      },
    }
    this.#viewers.push(viewer)
    return viewer
  }

  /** Whatever a page shows must be what the log says up to some event. */
  #look(thread: ThreadStore): void {
    this.#time.touch()
    const { state } = thread.getSnapshot()
    if (this.#record === undefined || state.log === '' || this.#isGarbling) return
    if (this.#random.chance(0.5)) return
    this.#states++
    const [shown, kept] = [told(state), this.#record.toldAt(state.cursor)]
    if (shown !== kept) {
      this.wrong ??= `at ${state.cursor} a page shows what the log never said: ${differenceOf(shown, kept)}`
    }
  }

  /** Resolves when no run is under way and every page has all there is; a page that has given up is asked again. */
  #atRest(): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = () => {
        const head = this.#record?.log.head() ?? 0
        const waiting = this.#viewers.filter(({ thread }) => {
          const { state, isLoading } = thread.getSnapshot()
          return isLoading || (this.#record !== undefined && (state.cursor < head || state.log === ''))
        })
        if (waiting.length === 0 && this.#planned === 0) return resolve()
        for (const { thread } of waiting) {
          if (thread.getSnapshot().connection.phase !== 'closed') continue
          if (this.#retries++ > MAX_RETRIES) return reject(new Error('a page gave up for good'))
          thread.retry()
        }
        this.#time.after(100, look)
      }
      look()
    })
  }
}

/** Where two texts part, and how each goes on. */
function differenceOf(shown: string, kept: string): string {
  let at = 0
  while (shown[at] === kept[at]) at++
  const around = (text: string) => text.slice(Math.max(0, at - 120), at + 120)
  return `shown …${around(shown)}…, kept …${around(kept)}…`
}

function anyTrouble(random: Seeded, isGarbling: boolean): Trouble {
  if (random.chance(0.15)) return { instead: random.pick(['refused', 'lost'] as const) }
  if (random.chance(0.1)) {
    const status = random.pick([401, 429, 500, 502, 503, 504])
    return { instead: { status, headers: random.chance(0.5) ? { 'retry-after': String(random.below(4)) } : {} } }
  }
  const what = isGarbling ? 'garble' : random.pick(['drop', 'twice', 'swap'] as const)
  return {
    ...(random.chance(0.6) && {
      cut: { atByte: random.below(random.pick([40, 400, 4000])), how: random.pick(['fin', 'rst', 'stall'] as const) },
    }),
    ...(random.chance(0.4) && { blocks: { place: random.below(20), what } }),
    ...(random.chance(0.3) && { pieces: random.pick([2, 16, 64]) }),
    ...(random.chance(0.3) && { delayMs: random.below(30) }),
  }
}
