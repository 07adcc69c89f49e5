import { randomId, RivuletError, type ReadFilter } from '@rivulet/protocol'
import { Hono, type Context } from 'hono'
import { asFields, checkId, optionalChoice, optionalCount } from '../http/fields.ts'
import { readBody } from '../http/read-body.ts'
import { readRunRequest, type RunRequest } from '../runs/run-request.ts'
import type { StartedRun } from '../runs/run-keeper.ts'
import { isInFlight } from '../threads/queue.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { Wire } from '../stream/wire.ts'
import type { Run, Thread } from '../threads/store.ts'
import { type AppEnv, type Deps, threadId, threadOf } from './deps.ts'
import { offer } from './offer.ts'

const MAX_PAGE = 100
const DEFAULT_PAGE = 20
const CANCEL_ACTIONS = ['interrupt', 'rollback'] as const

/** Starting, joining, listing and stopping runs. */
export function runRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/threads/:thread/runs', async (context) => {
    const request = readRunRequest(await readBody(context.req.raw, deps.bodyLimits))
    const { thread, started } = await startRun(deps, context.get('tenant'), threadId(context), request)
    if (context.req.header('accept')?.includes('text/event-stream')) {
      return offer(context, streamRun(deps, context.get('tenant'), thread, started, request))
    }
    if (context.req.query('wait') === '1') return Response.json(await resultOf(deps, context, thread, started, request))
    const { run, joined } = started
    return Response.json({ thread: thread.id, run: run.id, cursor: run.after }, { status: joined ? 200 : 202 })
  })

  routes.get('/threads/:thread/runs', async (context) => {
    const thread = await threadOf(deps, context)
    const limit = optionalCount({ limit: context.req.query('limit') }, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const runs = await deps.store.listRuns(context.get('tenant'), thread.id, { limit })
    return Response.json({ runs: runs.map(shown) })
  })

  routes.get('/threads/:thread/runs/:run', async (context) => {
    const id = checkId(context.req.param('run'), 'the run id')
    const run = await deps.store.getRun(context.get('tenant'), threadId(context), id)
    if (run === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${JSON.stringify(id)} on this thread`)
    return Response.json(shown(run))
  })

  routes.post('/threads/:thread/runs/:run/cancel', async (context) => {
    const body = asFields((await readBody(context.req.raw, deps.bodyLimits)) ?? {}, 'the body')
    const action = optionalChoice(body, 'action', CANCEL_ACTIONS)
    const run = checkId(context.req.param('run'), 'the run id')
    return Response.json(await deps.runs.cancel(context.get('tenant'), threadId(context), run, action))
  })

  routes.get('/graphs', () => Response.json({ graphs: [...deps.graphs.keys()].map((name) => ({ name })) }))

  routes.get('/graphs/:graph', (context) => {
    const name = context.req.param('graph')
    const graph = deps.runs.graphNamed(name)
    return Response.json({ ...graph.describe?.(), name })
  })

  return routes
}

/** Starts a run on a thread, which is made when it is not there. */
export async function startRun(
  deps: Deps,
  tenant: string,
  id: string,
  request: RunRequest,
): Promise<{ thread: Thread; started: StartedRun }> {
  deps.runs.graphNamed(request.graph)
  const { thread } = await deps.store.createThread(tenant, newThread(deps, id, {}))
  return { thread, started: await deps.runs.start(tenant, thread, request) }
}

/** A thread as it begins. */
export function newThread({ now }: Deps, id: string, metadata: Thread['metadata']): Thread {
  const at = now()
  return { id, graph: undefined, metadata, createdAt: at, updatedAt: at, status: 'idle', memory: randomId() }
}

/** A run as clients see it. */
function shown({ id, graph, status, error, createdAt, attempt }: Run): object {
  return { run: id, graph, status, error, createdAt, attempt }
}

/** The run's events, up to its end, from what the client has already, else from the run's beginning. */
export function streamRun(
  deps: Deps,
  tenant: string,
  thread: Thread,
  { run, log }: StartedRun,
  { after, onDisconnect }: RunRequest,
  { filter = {}, wire }: { filter?: ReadFilter; wire?: Wire } = {},
): EventStream {
  return deps.streams.open({
    ...(wire && { wire }),
    tenant,
    thread: thread.memory,
    log,
    // A run that was joined long after its end may be forgotten by the log, which would wait for its end for ever.
    query: { ...filter, after: after ?? run.after, until: run.id, follow: isInFlight(run) },
    heartbeatMs: deps.heartbeatMs,
    stallMs: deps.stallMs,
    onError: deps.onError,
    ...(onDisconnect === 'cancel' && { onLeave: () => cancelLeft(deps, tenant, thread, run) }),
  })
}

/** Waits for the run's end; a client that leaves before may stop it. */
async function resultOf(
  deps: Deps,
  context: Context<AppEnv>,
  thread: Thread,
  { run, result }: StartedRun,
  { onDisconnect }: RunRequest,
): ReturnType<() => StartedRun['result']> {
  if (onDisconnect === 'continue') return result
  const { signal } = context.req.raw
  const onLeave = (): void => cancelLeft(deps, context.get('tenant'), thread, run)
  signal.addEventListener('abort', onLeave, { once: true })
  if (signal.aborted) onLeave()
  try {
    return await result
  } finally {
    signal.removeEventListener('abort', onLeave)
  }
}

function cancelLeft(deps: Deps, tenant: string, thread: Thread, run: Run): void {
  deps.runs.cancel(tenant, thread.id, run.id).catch(deps.onError)
}
