import type { Seeded } from './seeded.ts'
import type { VirtualTime } from './virtual-time.ts'

/** What goes wrong with one exchange between a client and a server. */
export interface Trouble {
  /** Instead of an answer: none reaches the server, its answer is lost, or another answer comes. */
  readonly instead?: 'refused' | 'lost' | OtherAnswer
  /** The body ends at this byte: as if whole, broken off, or silent for ever. */
  readonly cut?: { readonly atByte: number; readonly how: 'fin' | 'rst' | 'stall' }
  /** What happens to the blocks of the stream, by their place. */
  readonly blocks?: { readonly place: number; readonly what: 'drop' | 'twice' | 'swap' | 'garble' }
  /** Bytes that are held back until there are so many, or the end comes, as by a proxy that compresses. */
  readonly heldBytes?: number
  /** Longest piece of the body, in bytes. Default: as it comes. */
  readonly pieces?: number
  /** Time that each piece takes, in ms. */
  readonly delayMs?: number
}

/** What a proxy or another server answers. */
export interface OtherAnswer {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | ReadableStream<Uint8Array>
}

/** What a bad network asks of time. */
export type NetworkTime = Pick<VirtualTime, 'after' | 'touch'>

/** A network with trouble on it: a `fetch` in front of a server's. `plan` says what happens to each exchange in turn. */
export function badNetwork(
  serve: (request: Request) => Promise<Response>,
  plan: (exchange: number) => Trouble,
  time: NetworkTime,
  random: Seeded,
): typeof fetch {
  let exchanges = 0
  return async (address, init) => {
    const trouble = plan(exchanges++)
    time.touch()
    const { instead } = trouble
    if (instead === 'refused') throw new TypeError('connection refused')
    if (typeof instead === 'object') return new Response(instead.body ?? `a proxy answers ${instead.status}`, instead)
    const response = await serve(new Request(address, init))
    time.touch()
    if (instead === 'lost') {
      await response.body?.cancel()
      throw new TypeError('connection reset')
    }
    if (response.body === null || !isStream(response)) return response
    const body = troubled(response.body, trouble, time, random)
    return new Response(body, { status: response.status, headers: response.headers })
  }
}

function isStream(response: Response): boolean {
  return response.headers.get('content-type')?.startsWith('text/event-stream') ?? false
}

function troubled(
  body: ReadableStream<Uint8Array>,
  { cut, blocks, heldBytes = 0, pieces = Infinity, delayMs = 0 }: Trouble,
  time: NetworkTime,
  random: Seeded,
): ReadableStream<Uint8Array> {
  const reader = body.getReader()
  const waiting: Uint8Array[] = []
  const held: Uint8Array[] = []
  const change = blocks === undefined ? (bytes: Uint8Array) => [bytes] : changeBlocks(blocks)
  let left = cut?.atByte ?? Infinity
  let isLeft = false
  async function pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    while (waiting.length === 0) {
      const { done, value } = await reader.read()
      time.touch()
      if (isLeft) return
      if (value !== undefined) held.push(...change(value).filter(({ length }) => length > 0))
      if (done || held.reduce((sum, { length }) => sum + length, 0) >= heldBytes) waiting.push(...held.splice(0))
      if (done && waiting.length === 0) return controller.close()
    }
    if (delayMs > 0) await new Promise<void>((resolve) => void time.after(delayMs, resolve))
    if (isLeft) return
    const whole = waiting.shift()!
    const length = Math.min(whole.length, left, pieces === Infinity ? Infinity : 1 + random.below(pieces))
    if (length < whole.length) waiting.unshift(whole.subarray(length))
    left -= length
    if (length > 0) controller.enqueue(whole.slice(0, length))
    if (left > 0 || cut === undefined) return
    if (cut.how !== 'stall') void reader.cancel()
    if (cut.how === 'fin') return controller.close()
    if (cut.how === 'rst') return controller.error(new TypeError('terminated'))
    await new Promise(() => undefined)
  }
  return new ReadableStream<Uint8Array>(
    {
      pull,
      cancel: async (reason) => {
        isLeft = true
        time.touch()
        await reader.cancel(reason)
      },
    },
    { highWaterMark: 0 },
  )
}

const encoder = new TextEncoder()

/** Takes an event stream apart into its blocks, and does something to one that has an id. */
function changeBlocks({ place, what }: NonNullable<Trouble['blocks']>): (bytes: Uint8Array) => Uint8Array[] {
  const decoder = new TextDecoder()
  let rest = ''
  let seen = 0
  let held = ''
  return (bytes) => {
    const blocks = (rest + decoder.decode(bytes, { stream: true })).split('\n\n')
    rest = blocks.pop()!
    const told: string[] = []
    for (const block of blocks) {
      const isMeant = block.startsWith('id: ') && seen++ === place
      if (isMeant && what === 'swap') held = `${block}\n\n`
      else {
        if (!isMeant || what !== 'drop') told.push(isMeant && what === 'garble' ? garbled(block) : `${block}\n\n`)
        if (isMeant && what === 'twice') told.push(`${block}\n\n`)
        told.push(held)
        held = ''
      }
    }
    return told.map((text) => encoder.encode(text))
  }
}

/** An event whose fields are of the wrong types. */
function garbled(block: string): string {
  const [id, event] = block.split('\n')
  return `${id}\n${event}\ndata: {"id":{"length":-1},"at":"x","text":null,"message":7,"lists":3,"lengths":"no"}\n\n`
}
