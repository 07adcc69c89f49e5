import type { ServerResponse } from 'node:http'
import type { EventStream } from '../stream/event-stream.ts'

/**
 * Writes a stream to a response as fast as the client takes it, and no faster: while the socket is full nothing is read
 * from the log. Each piece is written in the very turn it is told. Resolves when the stream has ended or the client is
 * gone; never rejects.
 */
export function writeStream(stream: EventStream, response: ServerResponse): Promise<void> {
  // The client may have left while its request was carried out: then `close` has been.
  if (response.destroyed) {
    stream.leave()
    return Promise.resolve()
  }
  response.once('close', () => stream.leave())
  // A client that goes in the middle of a write: `close` follows, which is what counts.
  response.on('error', () => undefined)
  // The first piece takes the head along.
  let send = (text: string): boolean => {
    send = (next) => sendChunk(response, next)
    return response.write(text)
  }
  return new Promise((resolve) => {
    function write(text: string | undefined): void {
      if (response.destroyed) return resolve()
      if (text === undefined) {
        response.end()
        return resolve()
      }
      if (send(text)) stream.take(write)
      else void drained(response, stream.ended).then((taken) => (taken ? stream.take(write) : resolve()))
    }
    stream.take(write)
  })
}

/**
 * Writes a piece behind the first; `false` while the socket is full. A chunk goes to the socket as one write (RFC 9112,
 * section 7.1): `response.write` makes four of it, corked until the next tick, which costs as much again as writing.
 */
function sendChunk(response: ServerResponse, text: string): boolean {
  const { socket } = response
  if (socket === null || socket === undefined || !response.chunkedEncoding) return response.write(text)
  const bytes = Buffer.byteLength(text)
  // Nothing but ASCII has as many bytes as it has units; those are written without being encoded.
  const encoding = bytes === text.length ? 'latin1' : 'utf8'
  return socket.write(`${bytes.toString(16)}\r\n${text}\r\n`, encoding)
}

/** Waits until the client has taken what was written; `false` when it never will. */
function drained(response: ServerResponse, ended: AbortSignal): Promise<boolean> {
  // The response tells only of what was written through it.
  const source = response.socket ?? response
  return new Promise((resolve) => {
    const settle = (taken: boolean) => () => {
      source.off('drain', onDrain)
      response.off('close', onClose)
      ended.removeEventListener('abort', onEnd)
      resolve(taken)
    }
    const onDrain = settle(true)
    const onClose = settle(false)
    // The stream was ended while the client took nothing: there is no way to tell it anything any more.
    const onEnd = (): void => {
      onClose()
      response.destroy()
    }
    source.once('drain', onDrain)
    response.once('close', onClose)
    ended.addEventListener('abort', onEnd, { once: true })
    if (ended.aborted) onEnd()
  })
}
