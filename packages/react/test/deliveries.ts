import { fetchTransport, webSocketTransport, type OpenRequest, type Transport } from '@rivulet/client'
import type { StreamableGraph } from '@rivulet/protocol'
import { memoryFetch, memoryWebSocket, pump, type Pump } from '@rivulet/testing'
import { mswHandlers } from '@rivulet/testing/msw'
import { configure } from '@testing-library/react'
import { setupServer } from 'msw/node'
import { afterAll, afterEach, beforeAll, describe } from 'vitest'

// Longer than the default second: other tests may have the machine at the same time.
configure({ asyncUtilTimeout: 5000 })

/** One stream that a page opened. */
export interface Opened extends Pick<OpenRequest, 'thread' | 'start'> {
  /** Whether the page still reads it. */
  isOpen: boolean
}

/** A way from a backend to a page, and what was asked over it. */
export interface Delivery {
  readonly transport: Transport
  /** Streams, in order. */
  readonly opened: readonly Opened[]
  /** Streams that are read now. */
  readonly open: readonly Opened[]
  /** Runs that were cancelled. */
  readonly cancelled: readonly string[]
}

/** Brings to a page what a pump plays, or a graph. */
export type Deliver = (source: Pump | StreamableGraph) => Delivery

/** Runs the same tests over every way that the project has from a backend to a page. */
export function overEveryTransport(tests: (deliver: Deliver) => void): void {
  describe('over SSE', () => {
    const server = setupServer()
    let backends = 0
    beforeAll(() => server.listen({ onUnhandledRequest: 'error' }))
    afterEach(() => server.resetHandlers())
    afterAll(() => server.close())
    tests((source) => {
      const url = `http://backend${++backends}.test`
      server.use(...mswHandlers(source, { url }))
      return observed(fetchTransport({ url }))
    })
  })
  describe('over WebSocket', () => {
    tests((source) => {
      const p = pumpOf(source)
      const socket = { webSocket: memoryWebSocket(p), fetch: memoryFetch(p) }
      return observed(webSocketTransport({ url: 'http://backend.test', ...socket }))
    })
  })
  describe('in process', () => {
    tests((source) => observed(pumpOf(source).backend))
  })
}

/** A graph runs by itself; what a pump plays waits for the test. */
function pumpOf(source: Pump | StreamableGraph): Pump {
  return 'backend' in source ? source : pump(source)
}

function observed(transport: Transport): Delivery {
  const opened: Opened[] = []
  const cancelled: string[] = []
  return {
    opened,
    get open() {
      return opened.filter(({ isOpen }) => isOpen)
    },
    cancelled,
    transport: {
      ...transport,
      async *open(request, options) {
        const stream = { thread: request.thread, start: request.start, isOpen: true }
        opened.push(stream)
        const close = () => void (stream.isOpen = false)
        options.signal.addEventListener('abort', close)
        try {
          yield* transport.open(request, options)
        } finally {
          close()
        }
      },
      async cancel(thread, run, options) {
        cancelled.push(run)
        await transport.cancel?.(thread, run, options)
      },
    },
  }
}
