import { addressConformance } from '@rivulet/testing/conformance'
import { describe, expect, test } from 'vitest'
import { createApp, memoryStore } from '../src/index.ts'
import { serve } from '../src/node/index.ts'
import { chatGraph } from './graphs.ts'

const app = createApp({ graphs: { chat: chatGraph() }, store: memoryStore() })
const served = await serve(app, { port: 0 })

describe('this server at its address', () => {
  addressConformance({ url: served.url }, { test, expect })

  test('is let go of', async () => {
    await served.close({ graceMs: 0 })
    expect(app.openStreams).toBe(0)
  })
})
