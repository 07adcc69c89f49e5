import { createClient, type Client } from '@rivulet/client'
import { told } from '../stack/recorded-store.ts'
import type { Seeded } from '../stack/seeded.ts'

/** What came of all conversations so far. */
export interface Tally {
  runs: number
  /** Threads whose page and whose log said something else in the end. */
  mismatches: string[]
  /** Bodies that were cut here. */
  cuts: number
  /** Runs by the code of the error that ended them. */
  errors: { [code: string]: number }
}

/** Runs on one thread, before the next thread. */
const RUNS = 3
/** One body in so many is cut somewhere. */
const CUT_ONE_IN = 3

/** Talks on one thread after another until the time is over; each is read anew in the end and held against what was shown. */
export async function talk(
  url: string,
  name: string,
  random: Seeded,
  tally: Tally,
  isOver: () => boolean,
): Promise<void> {
  for (let turn = 0; !isOver(); turn++) {
    const threadId = `${name}-${turn}`
    const client = createClient({ url, fetch: cutting(random, tally), heartbeatMs: 5000, retry: { maxAttempts: 1000 } })
    const thread = client.thread({ graph: 'story', threadId })
    for (let run = 0; run < RUNS && !isOver(); run++) {
      const { error } = await thread.submit({ messages: `question ${run}` }).result
      tally.runs++
      if (error !== undefined) tally.errors[error.code] = (tally.errors[error.code] ?? 0) + 1
    }
    const shown = told(thread.getSnapshot().state)
    thread.dispose()
    const kept = await readAnew(client, threadId)
    if (kept !== shown) tally.mismatches.push(`${threadId}:\n${shown}\n${kept}`)
  }
}

/** What a page that is opened now shows of a thread. */
async function readAnew(client: Client, threadId: string): Promise<string> {
  const thread = client.thread({ graph: 'story', threadId })
  const leave = thread.follow()
  await new Promise<void>((resolve) => {
    const look = () => {
      const { state, isLoading } = thread.getSnapshot()
      if (state.log !== '' && !isLoading) resolve()
    }
    thread.subscribe(look)
    look()
  })
  const kept = told(thread.getSnapshot().state)
  leave()
  thread.dispose()
  return kept
}

/** The platform's `fetch`, some of whose bodies break off. */
function cutting(random: Seeded, tally: Tally): typeof fetch {
  return async (address, init) => {
    const response = await fetch(address, init)
    if (response.body === null || random.below(CUT_ONE_IN) !== 0) return response
    let left = 200 + random.below(8000)
    const cut = new TransformStream<Uint8Array, Uint8Array>({
      transform(bytes, controller) {
        controller.enqueue(bytes)
        left -= bytes.length
        if (left > 0) return
        tally.cuts++
        controller.error(new TypeError('cut'))
      },
    })
    return new Response(response.body.pipeThrough(cut), { status: response.status, headers: response.headers })
  }
}
