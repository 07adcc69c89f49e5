import { randomId } from '@rivulet/protocol'
import { Hono } from 'hono'
import { checkId } from '../http/fields.ts'
import { readBody } from '../http/read-body.ts'
import { readRunRequest } from '../runs/run-request.ts'
import type { StartedRun } from '../runs/run-keeper.ts'
import type { SseStream } from '../stream/sse-stream.ts'
import type { Thread } from '../threads/store.ts'
import { type AppEnv, type Deps, threadId } from './deps.ts'
import { offer } from './offer.ts'

/** Starting, joining and stopping runs. */
export function runRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/threads/:thread/runs', async (context) => {
    const id = threadId(context)
    const request = readRunRequest(await readBody(context.req.raw, deps.bodyLimits))
    const tenant = context.get('tenant')
    deps.runs.graphNamed(request.graph)
    const { thread } = await deps.store.createThread(tenant, newThread(deps, id, {}))
    const started = await deps.runs.start(tenant, thread, request)
    if (context.req.header('accept')?.includes('text/event-stream')) {
      return offer(context, streamRun(deps, thread, started, request.after))
    }
    if (context.req.query('wait') === '1') return Response.json(await started.result)
    const { run, joined } = started
    return Response.json({ thread: id, run: run.id, cursor: run.after }, { status: joined ? 200 : 202 })
  })

  routes.post('/threads/:thread/runs/:run/cancel', async (context) => {
    await readBody(context.req.raw, deps.bodyLimits)
    const run = checkId(context.req.param('run'), 'the run id')
    return Response.json(await deps.runs.cancel(context.get('tenant'), threadId(context), run))
  })

  routes.get('/graphs', () => Response.json({ graphs: [...deps.graphs.keys()].map((name) => ({ name })) }))

  return routes
}

/** A thread as it begins. */
export function newThread({ now }: Deps, id: string, metadata: Thread['metadata']): Thread {
  const at = now()
  return { id, graph: undefined, metadata, createdAt: at, updatedAt: at, status: 'idle', memory: randomId() }
}

/** The run's events, up to its end, from what the client has already, else from the run's beginning. */
function streamRun(deps: Deps, thread: Thread, { run, log }: StartedRun, after: string | undefined): SseStream {
  return deps.streams.open({
    thread: thread.memory,
    log,
    // A run that was joined long after its end may be forgotten by the log, which would wait for its end for ever.
    query: { after: after ?? run.after, until: run.id, follow: run.status === 'running' },
    heartbeatMs: deps.heartbeatMs,
    stallMs: deps.stallMs,
    onError: deps.onError,
  })
}
