import {
  formatNamespace,
  interruptsOf,
  parseNamespace,
  randomId,
  RivuletError,
  ROOT,
  type GraphState,
  type Namespace,
} from '@rivulet/protocol'
import { Hono, type Context } from 'hono'
import { type AppEnv, type Deps, threadOf } from '../app/deps.ts'
import { newThread } from '../app/run-routes.ts'
import { forkThread, updateState } from '../app/thread-changes.ts'
import { deleteThread, graphOf, stateOf } from '../app/thread-routes.ts'
import {
  asFields,
  checkId,
  type Fields,
  invalid,
  optionalChoice,
  optionalFields,
  optionalText,
  optionalTexts,
} from '../http/fields.ts'
import type { Thread, ThreadStatus } from '../threads/store.ts'
import { answerState, answerThread, EMPTY_STATE, type Newest } from './answers.ts'
import { bodyOf, countIn, namesOf } from './request.ts'
import { updateOf } from './read-run.ts'

const STATUSES: readonly ThreadStatus[] = ['idle', 'busy', 'interrupted', 'error']
const SORTS = ['thread_id', 'status', 'created_at', 'updated_at'] as const
const ORDERS = ['asc', 'desc'] as const
const MAX_PAGE = 1000
const DEFAULT_PAGE = 10

/** Threads, their state and their history, as LangGraph's clients have them. */
export function threadRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/threads', async (context) => {
    const body = await bodyOf(deps, context)
    if (Array.isArray(body['supersteps']) && body['supersteps'].length > 0) {
      throw new RivuletError('UNSUPPORTED', 'supersteps: make the thread, then update its state')
    }
    const id = checkId(optionalText(body, 'thread_id') ?? randomId(), 'thread_id')
    const isKept = optionalChoice(body, 'if_exists', ['raise', 'do_nothing'] as const) === 'do_nothing'
    const metadata = optionalFields(body, 'metadata') ?? {}
    const graph = optionalText(metadata, 'graph_id')
    if (graph !== undefined) deps.runs.graphNamed(graph)
    const given = { ...metadata, ...(graph !== undefined && namesOf(graph)) }
    const made = await deps.store.createThread(context.get('tenant'), { ...newThread(deps, id, given), graph })
    if (!made.created && !isKept) throw new RivuletError('RUN_CONFLICT', `there is a thread ${id} already`)
    return Response.json(answerThread(made.thread))
  })

  routes.post('/threads/search', async (context) => {
    const found = await searched(deps, context, await bodyOf(deps, context))
    return Response.json(found)
  })

  routes.post('/threads/count', async (context) => {
    const body = await bodyOf(deps, context)
    return Response.json((await matching(deps, context.get('tenant'), body, MAX_PAGE)).length)
  })

  routes.get('/threads/:thread', async (context) => {
    const thread = await threadOf(deps, context)
    return Response.json(answerThread(thread, await stateOf(deps, context.get('tenant'), thread, undefined)))
  })

  routes.patch('/threads/:thread', async (context) => {
    const thread = await threadOf(deps, context)
    const metadata = { ...thread.metadata, ...optionalFields(await bodyOf(deps, context), 'metadata') }
    const updatedAt = deps.now()
    await deps.store.changeThread(context.get('tenant'), thread.id, { metadata, updatedAt })
    if (context.req.header('prefer') === 'return=minimal') return new Response(null, { status: 204 })
    return Response.json(answerThread({ ...thread, metadata, updatedAt }))
  })

  routes.delete('/threads/:thread', async (context) => {
    await deleteThread(deps, context.get('tenant'), await threadOf(deps, context))
    return new Response(null, { status: 204 })
  })

  routes.post('/threads/:thread/copy', async (context) => {
    const thread = await threadOf(deps, context)
    const { metadata } = thread
    return Response.json(answerThread(await forkThread(deps, context.get('tenant'), thread, { metadata })))
  })

  routes.get('/threads/:thread/state', async (context) =>
    shownState(deps, context, { subgraphs: context.req.query('subgraphs') === 'true' }),
  )

  routes.get('/threads/:thread/state/:checkpoint', async (context) =>
    shownState(deps, context, {
      checkpointId: context.req.param('checkpoint'),
      subgraphs: context.req.query('subgraphs') === 'true',
    }),
  )

  routes.post('/threads/:thread/state/checkpoint', async (context) => {
    const body = await bodyOf(deps, context)
    return shownState(deps, context, { ...placeOf(body), subgraphs: body['subgraphs'] === true })
  })

  routes.post('/threads/:thread/state', async (context) => {
    const body = await bodyOf(deps, context)
    const thread = await threadOf(deps, context)
    const { ns, checkpointId } = placeOf(body)
    const change = { update: updateOf(body['values'] ?? {}), asNode: optionalText(body, 'as_node'), checkpointId, ns }
    const checkpoint_id = await updateState(deps, context.get('tenant'), thread, change)
    const checkpoint = { thread_id: thread.id, checkpoint_ns: formatNamespace(ns), checkpoint_id }
    return Response.json({ checkpoint, configurable: checkpoint, checkpoint_id })
  })

  routes.post('/threads/:thread/history', async (context) =>
    Response.json(await history(deps, context, await bodyOf(deps, context))),
  )

  routes.get('/threads/:thread/history', async (context) =>
    Response.json(await history(deps, context, context.req.query())),
  )

  return routes
}

/** The checkpoint that is meant, and the graph: both are in `checkpoint`, and may be left out of it. */
function placeOf(body: Fields): { checkpointId: string | undefined; ns: Namespace } {
  const checkpoint = optionalFields(body, 'checkpoint') ?? {}
  const checkpointId = optionalText(checkpoint, 'checkpoint_id') ?? optionalText(body, 'checkpoint_id')
  return { checkpointId, ns: parseNamespace(optionalText(checkpoint, 'checkpoint_ns') ?? '') }
}

/** What of a thread is shown: its newest state, or that at a checkpoint, of the root or of a graph below. */
interface Asked {
  readonly checkpointId?: string | undefined
  readonly ns?: Namespace
  readonly subgraphs: boolean
}

async function shownState(
  deps: Deps,
  context: Context<AppEnv>,
  { checkpointId, ns = ROOT, subgraphs }: Asked,
): Promise<Response> {
  const tenant = context.get('tenant')
  const thread = await threadOf(deps, context)
  const state = await stateOf(deps, tenant, thread, checkpointId, { ns, subgraphs })
  if (state === undefined) return Response.json(EMPTY_STATE)
  const isNewest = checkpointId === undefined && ns.length === 0
  const newest = isNewest ? await newestOf(deps, tenant, thread, state.source) : undefined
  return Response.json(answerState(thread, state, { newest, ns }))
}

/** What the thread's log and its last run say of where it stands; `source` is that of its newest checkpoint. */
async function newestOf(
  { store }: Deps,
  tenant: string,
  thread: Thread,
  source: GraphState['source'],
): Promise<Newest> {
  const [state, [run]] = await Promise.all([
    store.openLog(tenant, thread.id).then((log) => log.snapshot()),
    store.listRuns(tenant, thread.id, { limit: 1 }),
  ])
  const stopped =
    run?.status === 'cancelled' ? { code: 'CANCELLED' as const, message: 'the run was stopped' } : undefined
  return {
    waiting: interruptsOf(state).map(({ id, value, node }) => ({ id, value, node })),
    // Whoever changes the state by hand has seen what failed.
    error: source === 'update' ? undefined : (run?.error ?? stopped),
  }
}

async function history(deps: Deps, context: Context<AppEnv>, asked: Fields): Promise<object[]> {
  const tenant = context.get('tenant')
  const thread = await threadOf(deps, context)
  const limit = countIn(asked, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
  const { checkpointId: from, ns } = placeOf({ checkpoint: asked['checkpoint'] })
  const graph = graphOf(deps, thread)
  if (graph?.getStateHistory === undefined || limit === 0) return []
  const before = beforeIn(asked['before'])
  if (before !== undefined) await stateOf(deps, tenant, thread, before, { ns })
  const metadata = Object.entries(optionalFields(asked, 'metadata') ?? {})
  const states: object[] = []
  let isReached = from === undefined
  let isNewest = before === undefined && ns.length === 0
  const where = { ...(before !== undefined && { before }), ...(ns.length > 0 && { ns }) }
  for await (const state of graph.getStateHistory(thread.memory, where)) {
    const about = { ...state.metadata, source: state.source, step: state.step }
    isReached ||= state.checkpointId === from
    if (isReached && metadata.every(([key, value]) => about[key as keyof typeof about] === value)) {
      const newest = isNewest ? await newestOf(deps, tenant, thread, state.source) : undefined
      states.push(answerState(thread, state, { newest, ns }))
    }
    isNewest = false
    if (states.length >= limit) break
  }
  return states
}

/** The checkpoint that comes after the ones asked for: an id, a checkpoint, or the config of one. */
function beforeIn(value: unknown): string | undefined {
  if ((value ?? undefined) === undefined || typeof value === 'string') return (value ?? undefined) as string | undefined
  const fields = asFields(value, 'before')
  return (
    optionalText(fields, 'checkpoint_id') ?? optionalText(optionalFields(fields, 'configurable') ?? {}, 'checkpoint_id')
  )
}

async function searched(deps: Deps, context: Context<AppEnv>, body: Fields): Promise<object[]> {
  const tenant = context.get('tenant')
  const offset = countIn(body, 'offset', MAX_PAGE) ?? 0
  const limit = countIn(body, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
  const by = optionalChoice(body, 'sort_by', SORTS) ?? 'updated_at'
  const isUp = optionalChoice(body, 'sort_order', ORDERS) === 'asc'
  // In the store's own order there is no need to look further than the page.
  const isOwnOrder = by === 'updated_at' && !isUp
  const threads = await matching(deps, tenant, body, isOwnOrder ? offset + limit : MAX_PAGE)
  const sorted = isOwnOrder
    ? threads
    : threads.toSorted((a, b) => (isUp ? 1 : -1) * compare(keyOf(a, by), keyOf(b, by)))
  const select = optionalTexts(body, 'select')
  const withState = select === undefined || select.includes('values') || select.includes('interrupts')
  return Promise.all(
    sorted.slice(offset, offset + limit).map(async (thread) => {
      const state = withState ? await stateOf(deps, tenant, thread, undefined) : undefined
      return selected(answerThread(thread, state), select)
    }),
  )
}

function selected(answer: object, select: readonly string[] | undefined): object {
  if (select === undefined) return answer
  return Object.fromEntries(Object.entries(answer).filter(([key]) => select.includes(key)))
}

/** Threads that a search asks for, the one used last first; no more than `most`. */
async function matching({ store }: Deps, tenant: string, body: Fields, most: number): Promise<readonly Thread[]> {
  if (optionalFields(body, 'values') !== undefined) {
    throw new RivuletError('UNSUPPORTED', 'values: threads are searched by metadata, status and id')
  }
  const metadata = optionalFields(body, 'metadata') ?? {}
  if (Object.values(metadata).some((value) => typeof value === 'object' && value !== null)) {
    throw invalid('metadata to search for are texts, numbers, booleans or null')
  }
  const status = optionalChoice(body, 'status', STATUSES)
  const ids = optionalTexts(body, 'ids')
  const found: Thread[] = []
  let cursor: string | undefined
  do {
    const page = await store.listThreads(tenant, { limit: Math.min(100, most), cursor, metadata, status })
    found.push(...page.threads.filter(({ id }) => ids === undefined || ids.includes(id)))
    cursor = page.cursor
  } while (cursor !== undefined && found.length < most)
  return found.slice(0, most)
}

function keyOf(thread: Thread, by: (typeof SORTS)[number]): string | number {
  switch (by) {
    case 'thread_id':
      return thread.id
    case 'status':
      return thread.status
    case 'created_at':
      return thread.createdAt
    default:
      return thread.updatedAt
  }
}

function compare(a: string | number, b: string | number): number {
  return a < b ? -1 : Number(a > b)
}
