import { webSocketTransport } from '@rivulet/client'
import { transportConformance } from '@rivulet/testing/conformance'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { createApp } from '../src/index.ts'
import { serve } from '../src/node/index.ts'

describe('the client over this server’s WebSockets', () => {
  transportConformance(
    async (graph) => {
      const served = await serve(createApp({ graphs: { agent: graph }, onError: () => {} }), { port: 0 })
      const transport = webSocketTransport({ url: served.url, webSocket: WebSocket })
      return { transport, close: () => served.close({ graceMs: 0 }) }
    },
    { test, expect },
  )
})
