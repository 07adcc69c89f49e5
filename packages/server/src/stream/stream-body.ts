import type { EventStream } from './event-stream.ts'

/** The stream as a response's body, for hosts that know nothing better. */
export function streamBody(stream: EventStream): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder()
  return new ReadableStream(
    {
      async pull(controller) {
        const text = await stream.next()
        if (text === undefined) controller.close()
        else controller.enqueue(encoder.encode(text))
      },
      cancel() {
        stream.leave()
      },
    },
    // Nothing is taken before somebody asks: the log keeps it better than this queue would.
    { highWaterMark: 0 },
  )
}

const offered = new WeakMap<Response, EventStream>()

/** Remembers that a response's body is this stream. */
export function rememberStream(response: Response, stream: EventStream): void {
  offered.set(response, stream)
}

/** The stream behind a response, for a host that can write it without going through the body. */
export function streamOf(response: Response): EventStream | undefined {
  return offered.get(response)
}
