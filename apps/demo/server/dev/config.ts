import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import type { UserConfig } from 'vite'
import { chooseModel, type ModelEnvironment } from '../agent/model-choice.ts'
import { demoPlugin } from './plugin.ts'

/** With this condition the workspace's packages resolve to their sources, so nothing has to be built first. */
const SOURCE = '@rivulet/source'

/** Vite's configuration of the demo. `env` chooses the agent's model. */
export function demoConfig(env: ModelEnvironment): UserConfig {
  return {
    root: fileURLToPath(new URL('../..', import.meta.url)),
    plugins: [react(), demoPlugin(chooseModel(env))],
    resolve: { conditions: [SOURCE, 'module', 'browser', 'development|production'] },
    ssr: {
      resolve: { conditions: [SOURCE, 'module', 'node', 'development|production'], externalConditions: [SOURCE] },
      noExternal: [/^@rivulet\//],
    },
    server: { host: '127.0.0.1' },
    // React, Markdown and the contracts' schemas: one chunk, since the page needs all of them at once.
    build: { chunkSizeWarningLimit: 700 },
  }
}
