import { createFrameDecoder, createSseDecoder, encodeFrame, wireState, type RivuletEvent } from '@rivulet/protocol'
import { seeded, type Seeded } from './seeded.ts'

const LINE_ENDS = ['\n', '\r\n', '\r']
const TEXTS = ['Hel', 'lo ', '世界', '🌍', 'é', '\u2028', '\n', '\r', '"', ': x', 'data:', '', '\u{10FFFF}', '\u0000']
/** A lead byte without its rest, a stray continuation, an overlong form, a surrogate. */
const BROKEN: readonly (readonly number[])[] = [[0xe4], [0x80], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xff]]

const encoder = new TextEncoder()

/**
 * Streams by chance, each read whole and then `splits` times in random pieces: of the own wire, and of any server-sent
 * events, their lines ended in all three ways, with a byte order mark, with bytes that are no text. Throws when some
 * pieces read otherwise than the whole; answers how many pieces were read.
 */
export function runSplits(seed: number, splits: number): number {
  const random = seeded(seed)
  const own = random.chance(0.5)
  const bytes = own ? ownStream(random) : anyStream(random)
  const read = own ? readFrames : readEvents
  const whole = read([bytes])
  let count = 0
  for (let split = 0; split < splits; split++) {
    const pieces = piecesOf(bytes, random)
    count += pieces.length
    if (read(pieces) !== whole) {
      throw new Error(
        `seed ${seed}, split ${split}: ${JSON.stringify(pieces.map(({ length }) => length))} reads otherwise`,
      )
    }
  }
  return count
}

/** A run's events, framed as the server frames them. */
function ownStream(random: Seeded): Uint8Array {
  const wire = wireState()
  const events: RivuletEvent[] = [{ type: 'run.start', run: 'r', protocol: 1, seq: 1 }]
  let at = 0
  for (let seq = 2; seq < 6 + random.below(10); seq++) {
    const text = random.pick(TEXTS)
    events.push({ type: 'message.delta', run: 'r', id: 'm', part: 0, at, text, seq })
    at += text.length
  }
  let text = ''
  for (let from = 0; from < events.length;) {
    const size = 1 + random.below(4)
    text += encodeFrame({ type: 'events', log: 'log', events: events.slice(from, from + size) }, wire)
    if (random.chance(0.2)) text += encodeFrame({ type: 'at', log: 'log', seq: from }, wire)
    from += size
  }
  return encoder.encode(text)
}

/** Server-sent events that nobody here would write. */
function anyStream(random: Seeded): Uint8Array {
  const bytes: number[] = random.chance(0.3) ? [0xef, 0xbb, 0xbf] : []
  const write = (text: string) => bytes.push(...encoder.encode(text))
  for (let line = 0; line < 4 + random.below(16); line++) {
    const end = random.pick(LINE_ENDS)
    write(random.pick(['data: ', 'data:', 'id: ', 'id', 'event: ', ': ', 'retry: 5', 'nonsense', '', '']))
    if (random.chance(0.6)) write(random.pick(TEXTS))
    if (random.chance(0.1)) bytes.push(...random.pick(BROKEN))
    write(end)
    if (random.chance(0.4)) write(end)
  }
  return Uint8Array.from(bytes)
}

function piecesOf(bytes: Uint8Array, random: Seeded): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const longest = random.pick([1, 2, 3, 16, 64])
  for (let from = 0; from < bytes.length;) {
    const length = 1 + random.below(longest)
    pieces.push(bytes.subarray(from, from + length))
    from += length
  }
  return pieces
}

/** The events that come, or what is thrown; frames may be joined where pieces are. */
function readFrames(pieces: readonly Uint8Array[]): string {
  const decoder = createFrameDecoder()
  const told: unknown[] = []
  try {
    for (const piece of pieces) {
      for (const frame of decoder.push(piece)) told.push(...(frame.type === 'events' ? frame.events : [frame]))
    }
    decoder.end()
  } catch (error) {
    told.push(String(error))
  }
  return JSON.stringify(told)
}

/** Everything that a decoder calls back with, in order. */
function readEvents(pieces: readonly Uint8Array[]): string {
  const told: unknown[] = []
  const decoder = createSseDecoder({
    onEvent: (event) => told.push(event),
    onComment: (comment) => told.push(comment),
    onRetry: (delayMs) => told.push(delayMs),
  })
  for (const piece of pieces) decoder.push(piece)
  told.push(decoder.lastEventId())
  return JSON.stringify(told)
}
