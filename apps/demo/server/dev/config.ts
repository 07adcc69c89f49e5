import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'
import { chooseModel, type ModelEnvironment } from '../agent/model-choice.ts'
import { demoPlugin } from './plugin.ts'

/** With this condition the workspace's packages resolve to their sources, so nothing has to be built first. */
const SOURCE = '@rivulet/source'

/** What of the environment the demo asks for: the agent's model, and the file that chats are kept in. */
export interface DemoEnvironment extends ModelEnvironment {
  DEMO_DATA?: string | undefined
}

/** Vite's configuration of the demo. */
export function demoConfig(env: DemoEnvironment): UserConfig {
  const root = fileURLToPath(new URL('../..', import.meta.url))
  const data = env.DEMO_DATA ?? join(root, '.data/chats.db')
  return {
    root,
    plugins: [react(), demoPlugin(chooseModel(env), data)],
    resolve: { conditions: [SOURCE, 'module', 'browser', 'development|production'] },
    ssr: {
      resolve: { conditions: [SOURCE, 'module', 'node', 'development|production'], externalConditions: [SOURCE] },
      noExternal: [/^@rivulet\//],
    },
    // What is written there is no reason to load anything again.
    server: { host: '127.0.0.1', watch: { ignored: ['**/.data/**'] } },
    // React, Markdown and the contracts' schemas: one chunk, since the page needs all of them at once.
    build: { chunkSizeWarningLimit: 700 },
  }
}
