import { fileURLToPath } from 'node:url'
import { createApp, type App } from '@rivulet/server'
import type { AgentLabel } from '../contract/agent-label.ts'
import { chooseModel, type ModelEnvironment } from './agent/choose-model.ts'
import { buildAgent } from './agent/graph.ts'
import { readDocs } from './tools/docs/read-docs.ts'
import { indexSections, type DocsIndex } from './tools/docs/search.ts'
import { createTools } from './tools/tools.ts'

/** The demo's server, to be mounted at `/v1`, and what the page says about its agent. */
export interface Demo {
  app: App
  label: AgentLabel
}

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
/** A CSV file travels in the body of a run, so this is larger than the server's own default. */
const MAX_BODY_BYTES = 32 * 1024 * 1024

/** Builds the demo: one graph, `agent`, served from memory. `env` chooses its model. */
export function createDemo(env: ModelEnvironment): Demo {
  const { model, label } = chooseModel(env)
  const agent = buildAgent(model, createTools({ docs: onceRead(REPOSITORY) }))
  return { app: createApp({ graphs: { agent }, limits: { bodyBytes: MAX_BODY_BYTES } }), label }
}

/** The index over a repository's documentation, made when it is first asked for; a failure is not kept. */
function onceRead(root: string): () => Promise<DocsIndex> {
  let index: Promise<DocsIndex> | undefined
  return () => {
    index ??= readDocs(root)
      .then(indexSections)
      .catch((error: unknown) => {
        index = undefined
        throw error
      })
    return index
  }
}
