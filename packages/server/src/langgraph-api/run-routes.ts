import { randomId, RivuletError, type EventLog, type ThreadState } from '@rivulet/protocol'
import { Hono, type Context } from 'hono'
import { type AppEnv, type Deps, threadId, threadOf } from '../app/deps.ts'
import { offer } from '../app/offer.ts'
import { deleteThread } from '../app/thread-routes.ts'
import { checkId, optionalChoice, optionalText, optionalTexts } from '../http/fields.ts'
import { readBody } from '../http/read-body.ts'
import type { StartedRun } from '../runs/run-keeper.ts'
import { resultOf, type RunResult } from '../runs/run-result.ts'
import { isInFlight } from '../threads/queue.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { Run, Thread } from '../threads/store.ts'
import { answerResult, answerRun, statusOfRun } from './answers.ts'
import { type BlockPlace, ClassicTeller, parseBlockId } from './classic-teller.ts'
import { bodyOf, countIn, graphOfAssistant, isOn, runIn, threadFor } from './request.ts'
import { beginningOf, stateAt } from './past.ts'
import { openPeerStream } from './peer-stream.ts'
import { PEER_MODES, peerModes, type PeerRun, type PeerView, readPeerRun } from './read-run.ts'

const MAX_PAGE = 1000
const DEFAULT_PAGE = 10
const ACTIONS = ['interrupt', 'rollback'] as const
const ALWAYS_READ = ['values', 'messages-tuple', 'custom', 'tools'] as const

/** Starting, joining, listing and stopping runs, as LangGraph's clients do. */
export function runRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/threads/:thread/runs', async (context) => {
    const { thread, started } = await startOn(deps, context, threadId(context))
    const headers = placeHeaders(thread, started.run)
    return Response.json(answerRun(thread.id, started.run), { headers })
  })

  routes.post('/threads/:thread/runs/stream', async (context) => {
    const from = await stateOfLog(deps, context.get('tenant'), threadId(context))
    return streamStarted(deps, context, { ...(await startOn(deps, context, threadId(context))), from })
  })

  routes.post('/threads/:thread/runs/wait', async (context) => {
    const { thread, started, asked } = await startOn(deps, context, threadId(context))
    return waitFor(deps, context, { thread, started, cancels: asked.request.onDisconnect === 'cancel' })
  })

  routes.get('/threads/:thread/runs', async (context) => {
    const thread = await threadOf(deps, context)
    const { status, ...query } = context.req.query()
    const offset = countIn(query, 'offset', MAX_PAGE) ?? 0
    const limit = countIn(query, 'limit', MAX_PAGE) ?? DEFAULT_PAGE
    const all = await deps.store.listRuns(context.get('tenant'), thread.id, { limit: MAX_PAGE })
    const matching = all.filter((run) => status === undefined || statusOfRun(run) === status)
    return Response.json(matching.slice(offset, offset + limit).map((run) => answerRun(thread.id, run)))
  })

  routes.get('/threads/:thread/runs/:run', async (context) =>
    Response.json(answerRun(threadId(context), await runIn(deps, context))),
  )

  routes.get('/threads/:thread/runs/:run/stream', async (context) => {
    const thread = await threadOf(deps, context)
    return joinRun(deps, context, thread, await runIn(deps, context))
  })

  routes.get('/threads/:thread/runs/:run/join', async (context) => {
    const thread = await threadOf(deps, context)
    const run = await runIn(deps, context)
    const log = await deps.store.openLog(context.get('tenant'), thread.id)
    const result = resultIn(log, run, context.req.raw.signal)
    const cancels = isOn(context.req.query('cancel_on_disconnect'))
    return waitFor(deps, context, { thread, started: { run, result }, cancels })
  })

  routes.post('/threads/:thread/runs/:run/cancel', async (context) => {
    // Read for its type: what a form of another site could send is refused.
    await readBody(context.req.raw, deps.bodyLimits)
    const run = await runIn(deps, context)
    const { wait, ...query } = context.req.query()
    const action = optionalChoice(query, 'action', ACTIONS)
    const cancelled = deps.runs.cancel(context.get('tenant'), threadId(context), run.id, action)
    if (isOn(wait)) {
      await cancelled
      return new Response(null, { status: 204 })
    }
    cancelled.catch(deps.onError)
    return new Response(null, { status: 202 })
  })

  routes.post('/runs/cancel', async (context) => {
    const body = await bodyOf(deps, context)
    const action = optionalChoice(context.req.query(), 'action', ACTIONS)
    const thread = checkId(optionalText(body, 'thread_id') ?? '', 'thread_id')
    const runs = optionalTexts(body, 'run_ids') ?? []
    for (const id of runs) {
      await deps.runs.cancel(context.get('tenant'), thread, checkId(id, 'run_ids'), action)
    }
    return new Response(null, { status: 204 })
  })

  routes.post('/runs', async (context) => {
    const { thread, started, asked } = await startAlone(deps, context)
    dropAfter(deps, context, thread, asked, started.result)
    return Response.json(answerRun(thread.id, started.run), { headers: placeHeaders(thread, started.run) })
  })

  routes.post('/runs/stream', async (context) => {
    return streamStarted(deps, context, { ...(await startAlone(deps, context)), from: undefined, isAlone: true })
  })

  routes.post('/runs/wait', async (context) => {
    const { thread, started, asked } = await startAlone(deps, context)
    dropAfter(deps, context, thread, asked, started.result)
    return waitFor(deps, context, { thread, started, cancels: asked.request.onDisconnect === 'cancel' })
  })

  routes.get('/runs/:run/stream', async (context) => {
    const id = checkId(context.req.param('run'), 'the run id')
    const tenant = context.get('tenant')
    const [thread, run] = await Promise.all([deps.store.getThread(tenant, id), deps.store.getRun(tenant, id, id)])
    if (thread === undefined || run === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${id}`)
    return joinRun(deps, context, thread, run)
  })

  return routes
}

/** A run that was asked for, and what of it is wanted. */
interface Asked {
  thread: Thread
  started: StartedRun
  asked: PeerRun
}

async function startOn(deps: Deps, context: Context<AppEnv>, id: string): Promise<Asked> {
  const tenant = context.get('tenant')
  const asked = readPeerRun(await readBody(context.req.raw, deps.bodyLimits), (name) => graphOfAssistant(deps, name))
  const known = await deps.store.getThread(tenant, id)
  if (known === undefined && !asked.makesThread) {
    throw new RivuletError('NOT_FOUND', `there is no thread ${id}; if_not_exists: "create" makes it`)
  }
  const thread = await threadFor(deps, tenant, id, asked.assistant)
  return { thread, started: await deps.runs.start(tenant, thread, asked.request), asked }
}

/** A run without a thread has one to itself, of the same id, which goes with it. */
async function startAlone(deps: Deps, context: Context<AppEnv>): Promise<Asked> {
  const tenant = context.get('tenant')
  const asked = readPeerRun(await readBody(context.req.raw, deps.bodyLimits), (name) => graphOfAssistant(deps, name))
  const run = randomId()
  const thread = await threadFor(deps, tenant, run, asked.assistant)
  return { thread, started: await deps.runs.start(tenant, thread, { ...asked.request, run }), asked }
}

/** Drops the thread of a run that had none once the run is over and nobody reads it any more. */
function dropAfter(
  deps: Deps,
  context: Context<AppEnv>,
  thread: Thread,
  { keepsThread }: PeerRun,
  ...ends: readonly Promise<unknown>[]
): void {
  if (keepsThread) return
  const tenant = context.get('tenant')
  Promise.all(ends)
    .then(() => deleteThread(deps, tenant, thread))
    .catch(deps.onError)
}

/** What a thread adds up to; `undefined` when it is not there. */
async function stateOfLog({ store }: Deps, tenant: string, id: string): Promise<ThreadState | undefined> {
  if ((await store.getThread(tenant, id)) === undefined) return undefined
  return (await store.openLog(tenant, id)).snapshot()
}

interface StreamStart extends Asked {
  /** What the thread added up to before the run was asked for; `undefined` for a thread that was made for it. */
  from: ThreadState | undefined
  isAlone?: boolean
}

async function streamStarted(deps: Deps, context: Context<AppEnv>, start: StreamStart): Promise<Response> {
  const { thread, started, asked, isAlone = false } = start
  const { run, log } = started
  const tenant = context.get('tenant')
  const from = start.from ?? beginningOf(log)
  const stream = openRun(deps, { tenant, thread, run, log, from, view: asked.view }, () => {
    if (asked.request.onDisconnect === 'cancel') deps.runs.cancel(tenant, thread.id, run.id).catch(deps.onError)
  })
  if (isAlone) dropAfter(deps, context, thread, asked, started.result, whenEnded(stream))
  const response = offer(context, stream)
  const place = isAlone ? `/runs/${run.id}` : `/threads/${thread.id}/runs/${run.id}`
  response.headers.set('content-location', place)
  response.headers.set('location', `${place}/stream?${viewQuery(asked)}`)
  return response
}

/** The address that goes on with this stream, and no more than it. */
function viewQuery({ view, request }: PeerRun): string {
  const query = new URLSearchParams(view.modes.map((mode) => ['stream_mode', mode]))
  if (view.subgraphs) query.set('stream_subgraphs', '1')
  if (request.onDisconnect === 'cancel') query.set('cancel_on_disconnect', '1')
  return query.toString()
}

function whenEnded({ ended }: EventStream): Promise<void> {
  return new Promise((resolve) => {
    if (ended.aborted) resolve()
    else ended.addEventListener('abort', () => resolve(), { once: true })
  })
}

interface RunReading {
  tenant: string
  thread: Thread
  run: Run
  log: EventLog
  from: ThreadState
  view: PeerView
  after?: BlockPlace | undefined
}

function openRun(deps: Deps, reading: RunReading, onLeave: () => void): EventStream {
  const { tenant, thread, run, log, from, view, after } = reading
  const metadata = { thread_id: thread.id, graph_id: run.graph, assistant_id: run.graph }
  const teller = new ClassicTeller({ run: run.id, log: log.id, view, metadata, after })
  return openPeerStream(deps, {
    tenant,
    thread,
    log,
    from,
    teller,
    ...(after && { crossing: { seq: after.seq, told: (state) => teller.crossed(state) } }),
    isLast: (event) => event.type === 'run.end' && event.run === run.id,
    follow: isInFlight(run),
    onLeave,
  })
}

/** Streams a run from its beginning, or from behind the last block that the client has. */
async function joinRun(deps: Deps, context: Context<AppEnv>, thread: Thread, run: Run): Promise<Response> {
  const tenant = context.get('tenant')
  const log = await deps.store.openLog(tenant, thread.id)
  const known = parseBlockId(context.req.header('last-event-id') ?? '')
  const after = known?.log === log.id ? known : undefined
  const seq = Number(run.after.split('.').at(-1))
  const from = await stateAt(log, seq)
  const cancels = isOn(context.req.query('cancel_on_disconnect'))
  const view = viewOf(run, context)
  const stream = openRun(deps, { tenant, thread, run, log, from, view, after }, () => {
    if (cancels) deps.runs.cancel(tenant, thread.id, run.id).catch(deps.onError)
  })
  return offer(context, stream)
}

/** What a client that joins wants: what it says, else what the run was started with. */
function viewOf({ adapter = {} }: Run, context: Context<AppEnv>): PeerView {
  const asked = peerModes(context.req.queries('stream_mode')?.flatMap((value) => value.split(',')))
  const kept = peerModes(adapter['modes'])
  const subgraphs = context.req.query('stream_subgraphs')
  return {
    modes: asked ?? kept ?? PEER_MODES.filter((mode) => (ALWAYS_READ as readonly string[]).includes(mode)),
    subgraphs: subgraphs === undefined ? adapter['subgraphs'] === true : isOn(subgraphs),
  }
}

/** Waits for a run's end; a client that leaves before may stop it. */
async function waitFor(
  deps: Deps,
  context: Context<AppEnv>,
  { thread, started, cancels }: { thread: Thread; started: Pick<StartedRun, 'run' | 'result'>; cancels: boolean },
): Promise<Response> {
  const { signal } = context.req.raw
  const onLeave = (): void => {
    if (cancels) deps.runs.cancel(context.get('tenant'), thread.id, started.run.id).catch(deps.onError)
  }
  signal.addEventListener('abort', onLeave, { once: true })
  if (signal.aborted) onLeave()
  try {
    const { values, interrupts, error } = await started.result
    return Response.json(answerResult(values, interrupts, error), { headers: placeHeaders(thread, started.run) })
  } finally {
    signal.removeEventListener('abort', onLeave)
  }
}

/** How a run ended, once it has. Rejects with the signal's reason. */
async function resultIn(log: EventLog, run: Run, signal: AbortSignal): Promise<RunResult> {
  for (;;) {
    const state = await log.snapshot()
    const told = state.runs.get(run.id)
    if (told !== undefined && told.status !== 'running') return resultOf({ ...told, id: run.id }, state)
    if (!isInFlight(run)) return resultOf(run, state)
    await log.waitFor(state.cursor, signal)
  }
}

function placeHeaders({ id }: Thread, run: Run): Record<string, string> {
  return { 'content-location': `/threads/${id}/runs/${run.id}` }
}
