import { alwaysRecorded, parseNamespace, RivuletError, type ReadQuery, type StreamMode } from '@rivulet/protocol'
import { Hono, type Context } from 'hono'
import { checkId, optionalModes } from '../http/fields.ts'
import { checkCursor } from '../runs/run-request.ts'
import { isInFlight } from '../threads/queue.ts'
import type { Run, Thread } from '../threads/store.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { Wire } from '../stream/wire.ts'
import { type AppEnv, type Deps, listInQuery, threadOf } from './deps.ts'
import { offer } from './offer.ts'

/** Reading what happens on a thread. */
export function eventRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()
  routes.get('/threads/:thread/events', async (context) => {
    const query = readQuery(context)
    const thread = await threadOf(deps, context)
    return offer(context, await openThread(deps, context.get('tenant'), thread, query))
  })
  return routes
}

/** Opens a stream of a thread. Throws `NOT_FOUND` for a run to wait for that never was, `MODE_NOT_RECORDED` for modes it lacks. */
export async function openThread(
  deps: Deps,
  tenant: string,
  thread: Thread,
  asked: ReadQuery,
  wire?: Wire,
): Promise<EventStream> {
  const run = await runToRead(deps, tenant, thread.id, asked.until)
  if (run !== undefined) checkRecorded(asked.modes ?? [], run)
  const log = await deps.store.openLog(tenant, thread.id)
  const { heartbeatMs, stallMs, onError } = deps
  // A run that ended long ago may be forgotten by the log, which would wait for its end for ever.
  const query = asked.until === undefined ? asked : { ...asked, follow: run !== undefined && isInFlight(run) }
  const timing = { heartbeatMs, stallMs, onError }
  return deps.streams.open({ tenant, thread: thread.memory, log, query, ...timing, ...(wire && { wire }) })
}

function readQuery(context: Context<AppEnv>): ReadQuery {
  const after = context.req.query('after') ?? context.req.header('last-event-id')
  const until = context.req.query('until')
  return {
    after: checkCursor(after === '' ? undefined : after),
    until: until === undefined ? undefined : checkId(until, 'until'),
    modes: optionalModes({ modes: listInQuery(context, 'modes') }, 'modes'),
    namespaces: context.req.queries('ns')?.map(parseNamespace),
    nodes: context.req.queries('node'),
    tags: context.req.queries('tag'),
  }
}

/** The run that the reader waits for, or the one under way. Throws `NOT_FOUND` for one that never was. */
async function runToRead(
  { store }: Deps,
  tenant: string,
  thread: string,
  until: string | undefined,
): Promise<Run | undefined> {
  if (until === undefined) return store.activeRun(tenant, thread)
  const run = await store.getRun(tenant, thread, until)
  if (run === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${until} on this thread`)
  return run
}

/** Throws `MODE_NOT_RECORDED` for a mode whose events the run does not keep. */
function checkRecorded(modes: readonly StreamMode[], run: Run): void {
  const missing = modes.filter((mode) => !alwaysRecorded.includes(mode) && !run.modes.includes(mode))
  if (missing.length === 0) return
  throw new RivuletError(
    'MODE_NOT_RECORDED',
    `run ${run.id} does not record ${missing.join(', ')}; start it with those modes`,
    {
      run: run.id,
    },
  )
}
