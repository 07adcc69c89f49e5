import type { Plugin, ViteDevServer } from 'vite'
import { AGENT_LABEL_META } from '../../contract/agent-label.ts'
import type { ModelEnvironment } from '../agent/choose-model.ts'
import type * as AppModule from '../app.ts'
import type { Demo } from '../app.ts'

const APP = '/server/app.ts'

/**
 * Runs the demo's server inside Vite's: one process, one port. The server's code goes through Vite as the page's does,
 * so it runs on sources, and a change to it takes effect with the next request; its chats are then gone.
 */
export function demoPlugin(env: ModelEnvironment): Plugin {
  let current: () => Promise<Demo>
  return {
    name: 'rivulet-demo',
    apply: 'serve',
    configureServer(server) {
      current = demoLoader(server, env)
      server.middlewares.use('/v1', (request, response, next) => {
        current().then(({ listener }) => listener(request, response), next)
      })
    },
    transformIndexHtml: async () => {
      const { label } = await current()
      return [{ tag: 'meta', attrs: { name: AGENT_LABEL_META, content: JSON.stringify(label) }, injectTo: 'head' }]
    },
  }
}

/** The demo as its code is now: made once, and anew when Vite has loaded the code again. */
function demoLoader(server: ViteDevServer, env: ModelEnvironment): () => Promise<Demo> {
  let made: { from: object; demo: Demo } | undefined
  server.httpServer?.once('close', () => made?.demo.close())
  return async () => {
    // What Vite loads is untyped; the path says what it is.
    const module = (await server.ssrLoadModule(APP)) as typeof AppModule
    if (made?.from !== module) {
      const old = made
      made = { from: module, demo: module.createDemo(env) }
      old?.demo.close()
    }
    return made.demo
  }
}
