import { createApp, memoryStore } from '@rivulet/server'
import { serve } from '@rivulet/server/node'
import { sqliteStore } from '@rivulet/server/sqlite'
import { storyGraph } from './story.ts'

/** `server <port> [database]`: a server of the story. Says its port once it listens, and its heap when it is asked. */
const [port = '0', path] = process.argv.slice(2)
// Few threads stay in memory, so that what grows is not what is kept on purpose.
const store = path === undefined ? memoryStore({ maxThreads: 250 }) : sqliteStore(path)
const app = createApp({ graphs: { story: storyGraph() }, store, heartbeatMs: 5000 })
const served = await serve(app, { port: Number(port) })
process.on('message', () => {
  globalThis.gc?.()
  process.send?.({ heapBytes: process.memoryUsage().heapUsed, openStreams: app.openStreams })
})
process.send?.({ port: served.port })
