import type { Plugin, ViteDevServer } from 'vite'
import { AGENT_LABEL_META } from '../../contract/agent-label.ts'
import { labelOf, type ModelChoice } from '../agent/model-choice.ts'
import type * as AppModule from '../app.ts'
import type { Demo } from '../app.ts'

const APP = '/server/app.ts'

/**
 * Runs the demo's server inside Vite's: one process, one port. The server's code goes through Vite as the page's does,
 * so it runs on sources, and a change to it takes effect with the next request. Chats are kept in the file `data`.
 */
export function demoPlugin(choice: ModelChoice, data: string): Plugin {
  const label = JSON.stringify(labelOf(choice))
  return {
    name: 'rivulet-demo',
    apply: 'serve',
    configureServer(server) {
      const current = demoLoader(server, choice, data)
      server.middlewares.use('/v1', (request, response, next) => {
        current().then(({ listener }) => listener(request, response), next)
      })
      // Loaded before anybody asks: the first answer need not wait for it.
      server.httpServer?.once('listening', () => {
        current().catch((error: unknown) => server.config.logger.error(String(error)))
      })
    },
    transformIndexHtml: () => [{ tag: 'meta', attrs: { name: AGENT_LABEL_META, content: label }, injectTo: 'head' }],
  }
}

/** The demo as its code is now: made once, and anew when Vite has loaded the code again. */
function demoLoader(server: ViteDevServer, choice: ModelChoice, data: string): () => Promise<Demo> {
  let made: { from: object; demo: Promise<Demo> } | undefined
  return async () => {
    // What Vite loads is untyped; the path says what it is.
    const module = (await server.ssrLoadModule(APP)) as typeof AppModule
    if (made?.from !== module) {
      const closed = made?.demo.then((demo) => demo.close())
      const noted = closed?.catch((error: unknown) => server.config.logger.error(String(error)))
      // The new one opens the file that the old one has let go of, and goes on with its runs.
      made = { from: module, demo: Promise.resolve(noted).then(() => module.createDemo(choice, data)) }
    }
    return made.demo
  }
}
