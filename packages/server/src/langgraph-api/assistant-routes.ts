import { Hono } from 'hono'
import type { AppEnv, Deps } from '../app/deps.ts'
import { asFields, optionalFields, optionalText } from '../http/fields.ts'
import { answerAssistant } from './answers.ts'
import { bodyOf, countIn, graphOfAssistant } from './request.ts'

const MAX_PAGE = 1000
const DEFAULT_PAGE = 10

/** Graphs as assistants, of which there is one each, and what the server says of itself. */
export function assistantRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const names = [...deps.graphs.keys()]

  routes.get('/ok', () => Response.json({ ok: true }))

  routes.get('/info', () =>
    Response.json({ version: '1', context: 'js', flags: { assistants: true, crons: false, langsmith: false } }),
  )

  routes.post('/assistants/search', async (context) => {
    const body = await bodyOf(deps, context)
    const offset = countIn(body, 'offset', MAX_PAGE) ?? 0
    const limit = countIn(body, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    return Response.json(assistants(names, body).slice(offset, offset + limit))
  })

  routes.post('/assistants/count', async (context) =>
    Response.json(assistants(names, await bodyOf(deps, context)).length),
  )

  routes.get('/assistants/:assistant', (context) => {
    const name = context.req.param('assistant')
    graphOfAssistant(deps, name)
    return Response.json(answerAssistant(name))
  })

  routes.get('/assistants/:assistant/graph', (context) => {
    const graph = graphOfAssistant(deps, context.req.param('assistant'))
    return Response.json(drawn(graph.describe?.() ?? {}))
  })

  routes.get('/assistants/:assistant/schemas', (context) => {
    const graph_id = context.req.param('assistant')
    graphOfAssistant(deps, graph_id)
    // Graphs check what comes in by functions, which no schema can show.
    const unknown = { input_schema: null, output_schema: null, state_schema: null, config_schema: null }
    return Response.json({ graph_id, ...unknown, context_schema: null })
  })

  return routes
}

function assistants(names: readonly string[], body: Readonly<Record<string, unknown>>): object[] {
  const graph = optionalText(body, 'graph_id')
  const name = optionalText(body, 'name')
  const metadata = Object.entries(optionalFields(body, 'metadata') ?? {})
  if (metadata.some(([key, value]) => key !== 'created_by' || value !== 'system')) return []
  return names
    .filter((one) => (graph === undefined || one === graph) && (name === undefined || one.includes(name)))
    .map(answerAssistant)
}

/** A graph's description as LangGraph draws it. */
function drawn(description: object): object {
  const { nodes = [], edges = [] } = asFields(description, 'a description')
  return {
    nodes: listOf(nodes).map(({ id, metadata }) => ({
      id,
      type: 'runnable',
      data: { id, name: id },
      ...(metadata !== undefined && { metadata }),
    })),
    edges: listOf(edges).map(({ from, to, conditional, label }) => ({
      source: from,
      target: to,
      ...(conditional === true && { conditional }),
      ...(label !== undefined && { data: label }),
    })),
  }
}

function listOf(value: unknown): Readonly<Record<string, unknown>>[] {
  return Array.isArray(value) ? value.map((one: unknown) => asFields(one, 'a description')) : []
}
