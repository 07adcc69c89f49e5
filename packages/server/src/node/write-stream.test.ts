import { EventEmitter } from 'node:events'
import type { ServerResponse } from 'node:http'
import { describe, expect, test } from 'vitest'
import type { EventStream } from '../stream/event-stream.ts'
import { writeStream } from './write-stream.ts'

/** A stream of given pieces that counts how many were taken; it ends after the last, or waits for more. */
class Pieces {
  readonly #pieces: string[]
  readonly stop = new AbortController()
  #waiting: ((text: string | undefined) => void) | undefined
  endless = false
  taken = 0
  constructor(...pieces: string[]) {
    this.#pieces = pieces
  }
  get ended(): AbortSignal {
    return this.stop.signal
  }
  take(taker: (text: string | undefined) => void): void {
    this.taken++
    const piece = this.stop.signal.aborted ? undefined : this.#pieces.shift()
    if (piece === undefined && this.endless && !this.stop.signal.aborted) this.#waiting = taker
    else taker(piece)
  }
  end(): void {
    this.stop.abort()
    this.#waiting?.(undefined)
  }
  leave(): void {
    this.end()
  }
}

/** A response whose socket is full until it drains. */
class Socket extends EventEmitter {
  readonly written: string[] = []
  destroyed = false
  finished = false
  full = false
  write(text: string): boolean {
    this.written.push(text)
    return !this.full
  }
  end(): void {
    this.finished = true
  }
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

function write(pieces: Pieces, socket: Socket): Promise<void> {
  // Both have what the function under test uses of them.
  return writeStream(pieces as unknown as EventStream, socket as unknown as ServerResponse)
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

describe('writing to a client', () => {
  test('writes every piece and ends', async () => {
    const socket = new Socket()
    await write(new Pieces('a', 'b'), socket)
    expect(socket.written).toEqual(['a', 'b'])
    expect(socket.finished).toBe(true)
  })

  test('takes nothing more while the socket is full', async () => {
    const pieces = new Pieces('a', 'b')
    const socket = new Socket()
    socket.full = true
    const writing = write(pieces, socket)
    await settle()
    expect(pieces.taken).toBe(1)
    socket.full = false
    socket.emit('drain')
    await writing
    expect(socket.written).toEqual(['a', 'b'])
    expect(socket.listenerCount('drain')).toBe(0)
  })

  test('ends the stream when the client goes, waiting or not', async () => {
    for (const full of [false, true]) {
      const pieces = new Pieces('a', 'b')
      pieces.endless = true
      const socket = new Socket()
      socket.full = full
      const writing = write(pieces, socket)
      socket.destroy()
      await writing
      expect(pieces.ended.aborted).toBe(true)
      expect(socket.finished).toBe(false)
    }
  })

  test('cuts the connection when the stream ends while the client takes nothing', async () => {
    const pieces = new Pieces('a', 'b')
    const socket = new Socket()
    socket.full = true
    const writing = write(pieces, socket)
    await settle()
    pieces.end()
    await writing
    expect(socket.destroyed).toBe(true)
  })

  test('survives a socket that breaks', async () => {
    const socket = new Socket()
    const pieces = new Pieces('a')
    pieces.endless = true
    const writing = write(pieces, socket)
    expect(() => socket.emit('error', new Error('broken pipe'))).not.toThrow()
    pieces.end()
    await writing
  })
})
