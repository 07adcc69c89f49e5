import type { ServerResponse } from 'node:http'
import type { EventStream } from '../stream/event-stream.ts'

/**
 * Writes a stream to a response as fast as the client takes it, and no faster: while the socket is full nothing is read
 * from the log. Ends with the stream, or when the client goes. Never rejects.
 */
export async function writeStream(stream: EventStream, response: ServerResponse): Promise<void> {
  // The client may have left while its request was carried out: then `close` has been.
  if (response.destroyed) return stream.leave()
  response.once('close', () => stream.leave())
  // A client that goes in the middle of a write: `close` follows, which is what counts.
  response.on('error', () => undefined)
  for (;;) {
    const text = await stream.next()
    if (response.destroyed) return
    if (text === undefined) break
    if (!response.write(text) && !(await drained(response, stream.ended))) return
  }
  response.end()
}

/** Waits until the client has taken what was written; `false` when it never will. */
function drained(response: ServerResponse, ended: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const settle = (taken: boolean) => () => {
      response.off('drain', onDrain)
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
    response.once('drain', onDrain)
    response.once('close', onClose)
    ended.addEventListener('abort', onEnd, { once: true })
    if (ended.aborted) onEnd()
  })
}
