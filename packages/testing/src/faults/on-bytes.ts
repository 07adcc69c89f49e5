import type { Act, ByteFault } from './act.ts'
import { seededRandom } from './random.ts'

/** Works on the bytes and on the close; everything else passes. */
export function onBytes(begin: () => (bytes: Uint8Array) => readonly Act[], atEnd?: () => readonly Act[]): ByteFault {
  return {
    on: 'bytes',
    begin() {
      const step = begin()
      return (act) => {
        if (act.type === 'bytes') return step(act.bytes)
        return act.type === 'close' && atEnd ? [...atEnd(), act] : [act]
      }
    },
  }
}

/** Lets `count` bytes pass, and then does this. */
export function afterBytes(count: number, then: Act): ByteFault {
  return onBytes(() => {
    let left = count
    return (bytes) => {
      if (bytes.length < left) {
        left -= bytes.length
        return [bytesAct(bytes)]
      }
      return left === 0 ? [then] : [bytesAct(bytes.subarray(0, left)), then]
    }
  })
}

/** Cuts the bytes into pieces of these lengths. */
export function inPieces(begin: () => () => number): ByteFault {
  return onBytes(() => {
    const nextLength = begin()
    return (bytes) => {
      const acts: Act[] = []
      for (let at = 0; at < bytes.length;) {
        const length = nextLength()
        acts.push(bytesAct(bytes.subarray(at, at + length)))
        at += length
      }
      return acts
    }
  })
}

/** Lengths from 1 to 16, the same for the same seed. */
export function seededLengths(seed: number): () => number {
  const random = seededRandom(seed)
  return () => 1 + Math.floor(random() * 16)
}

/** Holds bytes back until there are this many of them, or the end comes. */
export function held(size: number): ByteFault {
  return {
    on: 'bytes',
    begin() {
      let waiting: Uint8Array[] = []
      let length = 0
      const flush = (): Act[] => {
        const all = waiting
        waiting = []
        length = 0
        return all.length === 0 ? [] : [bytesAct(joined(all))]
      }
      return (act) => {
        if (act.type === 'close') return [...flush(), act]
        if (act.type !== 'bytes') return [act]
        waiting.push(act.bytes)
        length += act.bytes.length
        return length >= size ? flush() : []
      }
    },
  }
}

/** Bytes to be sent. */
export function bytesAct(bytes: Uint8Array): Act {
  return { type: 'bytes', bytes }
}

/** These bytes in one piece. */
export function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const piece of pieces) {
    all.set(piece, at)
    at += piece.length
  }
  return all
}
