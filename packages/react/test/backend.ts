import { act } from '@testing-library/react'
import { encodeFrame, wireState, type Frame, type RivuletEvent, type RunEvent } from '@rivulet/protocol'
import { http, HttpResponse, type RequestHandler } from 'msw'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll } from 'vitest'

/** One stream that a page opened. */
export interface OpenStream {
  readonly thread: string
  /** Body of the run's start; `undefined` when the thread is only read. */
  readonly start: ({ run: string; graph: string; input?: unknown } & Record<string, unknown>) | undefined
  readonly after: string | null
  /** Whether the page still reads it. */
  readonly isOpen: boolean
}

/** A server that speaks the wire and says what the test makes it say. Threads have one log each. */
export interface Backend {
  readonly url: string
  /** Every stream that was opened, in order. */
  readonly streams: readonly OpenStream[]
  /** Streams that a page reads now. */
  readonly open: readonly OpenStream[]
  /** Paths of the runs that were cancelled. */
  readonly cancelled: readonly string[]
  /** Adds events to a thread's log and sends them, each in a piece of its own, to whoever reads it. */
  emit(thread: string, ...events: RunEvent[]): Promise<void>
  /** The next start of a run is refused. */
  refuse(error: { status: number; code: string; message: string }): void
}

interface Body extends OpenStream {
  isOpen: boolean
  send(frame: Frame): void
  close(): void
}

/** Registers the server for the tests of a file. */
export function mockBackend(): Backend {
  const url = 'http://backend.test'
  const logs = new Map<string, RivuletEvent[]>()
  const bodies: Body[] = []
  const cancelled: string[] = []
  let refusal: { status: number; code: string; message: string } | undefined
  const logOf = (thread: string) => logs.get(thread) ?? logs.set(thread, []).get(thread)!
  const stream = ({ signal }: Request, thread: string, start: OpenStream['start'], after: string | null) => {
    const body = openBody(thread, start, after)
    bodies.push(body)
    // The mock reads each body itself, too, so that only the request tells when the page has left.
    signal.addEventListener('abort', () => body.close())
    const seen = after === null ? 0 : Number(after.split('.')[1])
    const log = logIdOf(thread)
    body.send({ type: 'events', log, events: [{ type: 'sync', phase: 'replay', log, seq: seen }] })
    const missed = logOf(thread).slice(seen)
    if (missed.length > 0) body.send({ type: 'events', log, events: missed })
    body.send({ type: 'events', log, events: [{ type: 'sync', phase: 'live', log, seq: seen + missed.length }] })
    return new HttpResponse(body.readable, { headers: { 'content-type': 'text/event-stream' } })
  }
  const handlers: RequestHandler[] = [
    http.post(`${url}/v1/threads/:thread/runs`, async ({ request, params }) => {
      if (refusal !== undefined) {
        const { status, ...error } = refusal
        refusal = undefined
        return HttpResponse.json({ error }, { status })
      }
      // What the transport under test sends; the tests look at its fields.
      const start = (await request.json()) as NonNullable<OpenStream['start']> & { after?: string }
      return stream(request, String(params['thread']), start, start.after ?? null)
    }),
    http.get(`${url}/v1/threads/:thread/events`, ({ request, params }) =>
      stream(request, String(params['thread']), undefined, new URL(request.url).searchParams.get('after')),
    ),
    http.post(`${url}/v1/threads/:thread/runs/:run/cancel`, ({ params }) => {
      cancelled.push(`${String(params['thread'])}/${String(params['run'])}`)
      return HttpResponse.json({})
    }),
  ]
  const server = setupServer(...handlers)
  beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
  afterEach(() => {
    for (const body of bodies.splice(0)) body.close()
    cancelled.length = 0
    logs.clear()
    server.resetHandlers()
  })
  afterAll(() => server.close())
  return {
    url,
    streams: bodies,
    get open() {
      return bodies.filter(({ isOpen }) => isOpen)
    },
    cancelled,
    refuse(error) {
      refusal = error
    },
    async emit(thread, ...events) {
      const log = logOf(thread)
      for (const event of events) {
        const stamped: RivuletEvent = { ...event, seq: log.length + 1 }
        log.push(stamped)
        for (const body of bodies) {
          if (body.isOpen && body.thread === thread)
            body.send({ type: 'events', log: logIdOf(thread), events: [stamped] })
        }
      }
      await settle()
    },
  }
}

function logIdOf(thread: string): string {
  return `log-${thread}`
}

function openBody(thread: string, start: OpenStream['start'], after: string | null) {
  const wire = wireState()
  const encoder = new TextEncoder()
  let controller: ReadableStreamDefaultController<Uint8Array>
  const readable = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given
    },
  })
  const body = {
    thread,
    start,
    after,
    isOpen: true,
    readable,
    send: (frame: Frame) => controller.enqueue(encoder.encode(encodeFrame(frame, wire))),
    close() {
      if (body.isOpen) controller.close()
      body.isOpen = false
    },
  }
  return body
}

/** Lets everything go on that only waits for promises and for bytes in this process, with React told. */
export async function settle(): Promise<void> {
  await act(async () => {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  })
}
