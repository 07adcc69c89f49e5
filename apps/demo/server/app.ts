import { fileURLToPath } from 'node:url'
import { createApp } from '@rivulet/server'
import { nodeListener, type NodeListener } from '@rivulet/server/node'
import { sqliteStore } from '@rivulet/server/sqlite'
import { buildAgent } from './agent/graph.ts'
import { createModel } from './agent/model.ts'
import type { ModelChoice } from './agent/model-choice.ts'
import { readDocs } from './tools/docs/read-docs.ts'
import { indexSections, type DocsIndex } from './tools/docs/search.ts'
import { createTools } from './tools/tools.ts'

/** The demo's server. */
export interface Demo {
  /** Answers the requests under `/v1`. */
  listener: NodeListener
  /** Ends streams; runs go on when the demo is opened again. */
  close: () => Promise<void>
}

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url))
/** A CSV file travels in the body of a run, so this is larger than the server's own default. */
const MAX_BODY_BYTES = 80 * 1024 * 1024

/** Builds the demo: one graph, `agent`, with the model that was chosen; chats are kept in the file `data`. */
export async function createDemo(choice: ModelChoice, data: string): Promise<Demo> {
  const agent = buildAgent(await createModel(choice), createTools({ docs: onceRead(REPOSITORY) }))
  const app = createApp({ graphs: { agent }, store: sqliteStore(data), limits: { bodyBytes: MAX_BODY_BYTES } })
  return { listener: nodeListener(app), close: () => app.close({ graceMs: 0 }) }
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
