import { serverConformance } from '@rivulet/testing/conformance'
import { describe, expect, test } from 'vitest'
import { createApp, memoryStore, type Store } from '../src/index.ts'
import { serve } from '../src/node/index.ts'
import { temporaryStore } from './sqlite.ts'

describe.each<[string, () => Promise<Store>]>([
  ['memory', async () => memoryStore()],
  ['a file', temporaryStore],
])('this server, its threads in %s', (_name, makeStore) => {
  serverConformance(
    async (graph) => {
      const app = createApp({ graphs: { agent: graph }, store: await makeStore(), onError: () => {} })
      const served = await serve(app, { port: 0 })
      return { url: served.url, close: () => served.close({ graceMs: 0 }) }
    },
    { test, expect },
  )
})
