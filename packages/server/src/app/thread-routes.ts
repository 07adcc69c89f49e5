import {
  interruptsOf,
  parseNamespace,
  randomId,
  RivuletError,
  ROOT,
  toJson,
  valuesOf,
  type GraphState,
  type StateOptions,
  type StreamableGraph,
} from '@rivulet/protocol'
import { Hono } from 'hono'
import {
  asFields,
  checkId,
  type Fields,
  invalid,
  optionalChoice,
  optionalCount,
  optionalFields,
  optionalText,
} from '../http/fields.ts'
import { readBody } from '../http/read-body.ts'
import type { Thread, ThreadStatus } from '../threads/store.ts'
import { type AppEnv, type Deps, threadOf } from './deps.ts'
import { newThread } from './run-routes.ts'
import { forkThread, updateState } from './thread-changes.ts'
import { outlineOf } from './outline.ts'

const STATUSES: readonly ThreadStatus[] = ['idle', 'busy', 'interrupted', 'error']
const MAX_PAGE = 100
const DEFAULT_PAGE = 20

/** Threads: making, listing, reading and deleting them. */
export function threadRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  const { store } = deps

  routes.get('/threads', async (context) => {
    const { limit, cursor, metadata, status } = context.req.query()
    const page = await store.listThreads(context.get('tenant'), {
      limit: optionalCount({ limit }, 'limit', MAX_PAGE) ?? DEFAULT_PAGE,
      cursor,
      metadata: metadata === undefined ? undefined : metadataIn(metadata),
      status: optionalChoice({ status }, 'status', STATUSES),
    })
    return Response.json({ threads: page.threads.map(shown), cursor: page.cursor })
  })

  routes.post('/threads', async (context) => {
    const body = asFields((await readBody(context.req.raw, deps.bodyLimits)) ?? {}, 'the body')
    const given = optionalText(body, 'id')
    const id = given === undefined ? randomId() : checkId(given, 'id')
    const graph = optionalText(body, 'graph')
    if (graph !== undefined) deps.runs.graphNamed(graph)
    const thread = { ...newThread(deps, id, optionalFields(body, 'metadata') ?? {}), graph }
    const made = await store.createThread(context.get('tenant'), thread)
    return Response.json(shown(made.thread), { status: made.created ? 201 : 200 })
  })

  routes.get('/threads/:thread', async (context) => {
    const thread = await threadOf(deps, context)
    const active = await store.activeRun(context.get('tenant'), thread.id)
    return Response.json({ ...shown(thread), run: active?.id })
  })

  routes.delete('/threads/:thread', async (context) => {
    const thread = await threadOf(deps, context)
    await deleteThread(deps, context.get('tenant'), thread)
    return new Response(null, { status: 204 })
  })

  routes.get('/threads/:thread/state', async (context) => {
    const thread = await threadOf(deps, context)
    const { checkpointId, ns, subgraphs } = context.req.query()
    const below = { ns: parseNamespace(ns ?? ''), subgraphs: subgraphs === '1' }
    const state = await stateOf(deps, context.get('tenant'), thread, checkpointId, below)
    return state === undefined ? new Response(null, { status: 204 }) : Response.json(state)
  })

  routes.post('/threads/:thread/state', async (context) => {
    const body = asFields(await readBody(context.req.raw, deps.bodyLimits), 'the body')
    const thread = await threadOf(deps, context)
    return Response.json({ checkpointId: await updateState(deps, context.get('tenant'), thread, body) })
  })

  routes.post('/threads/:thread/fork', async (context) => {
    const body = asFields((await readBody(context.req.raw, deps.bodyLimits)) ?? {}, 'the body')
    const thread = await threadOf(deps, context)
    return Response.json(shown(await forkThread(deps, context.get('tenant'), thread, body)), { status: 201 })
  })

  routes.get('/threads/:thread/history', async (context) => {
    const thread = await threadOf(deps, context)
    const { limit, before, outline, ns: named } = context.req.query()
    const ns = parseNamespace(named ?? '')
    if (before !== undefined) await stateOf(deps, context.get('tenant'), thread, before, { ns })
    const history = graphOf(deps, thread)?.getStateHistory?.(thread.memory, {
      limit: optionalCount({ limit }, 'limit', MAX_PAGE) ?? DEFAULT_PAGE,
      ...(before !== undefined && { before }),
      ...(ns.length > 0 && { ns }),
    })
    const states: GraphState[] = []
    for await (const state of history ?? []) states.push(outline === '1' ? outlineOf(state) : state)
    return Response.json(states)
  })

  return routes
}

/** A thread as clients see it. */
function shown({ id, graph, metadata, createdAt, updatedAt, status }: Thread): object {
  return { id, graph, metadata, createdAt, updatedAt, status }
}

/** The graph of the thread's last run; `undefined` before the first, or when it is not served any more. */
export function graphOf({ graphs }: Deps, { graph }: Thread): StreamableGraph | undefined {
  return graph === undefined ? undefined : graphs.get(graph)
}

/** State as the graph keeps it; of a graph that keeps none, as its events tell it. */
export async function stateOf(
  deps: Deps,
  tenant: string,
  thread: Thread,
  checkpointId: string | undefined,
  { ns = ROOT, subgraphs = false }: Pick<StateOptions, 'ns' | 'subgraphs'> = {},
): Promise<GraphState | undefined> {
  const graph = graphOf(deps, thread)
  if (graph === undefined) {
    if (checkpointId !== undefined) throw noCheckpoint(checkpointId)
    return undefined
  }
  if (graph.getState === undefined) {
    if (checkpointId !== undefined || ns.length > 0)
      throw new RivuletError('UNSUPPORTED', `graph ${thread.graph} keeps no checkpoints`)
    const state = await (await deps.store.openLog(tenant, thread.id)).snapshot()
    const interrupts = interruptsOf(state).map(({ id, value }) => ({ id, value }))
    return { values: valuesOf(state), next: [], interrupts }
  }
  const at = { ...(checkpointId !== undefined && { checkpointId }), ...(ns.length > 0 && { ns }) }
  const state = await graph.getState(thread.memory, { ...at, ...(subgraphs && { subgraphs }) })
  if (state !== undefined || checkpointId === undefined) return state
  throw noCheckpoint(checkpointId)
}

function noCheckpoint(id: string): RivuletError {
  return new RivuletError('NOT_FOUND', `there is no checkpoint ${JSON.stringify(id)} on this thread`)
}

/** The metadata to search for. */
function metadataIn(text: string): Fields {
  let json: unknown
  try {
    json = toJson(JSON.parse(text))
  } catch {
    throw invalid('metadata must be a JSON object')
  }
  const metadata = asFields(json, 'metadata')
  if (Object.values(metadata).every((value) => value === null || typeof value !== 'object')) return metadata
  throw invalid('metadata to search for are texts, numbers, booleans or null')
}

/** Stops the thread's runs, ends its readers, and drops what is kept of it. */
export async function deleteThread(deps: Deps, tenant: string, thread: Thread): Promise<void> {
  await deps.runs.cancelAll(tenant, thread.id)
  await deps.store.deleteThread(tenant, thread.id)
  deps.streams.endThread(thread.memory, new RivuletError('NOT_FOUND', 'the thread was deleted'))
  await graphOf(deps, thread)?.deleteThread?.(thread.memory)
}
