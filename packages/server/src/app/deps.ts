import { RivuletError, type StreamableGraph } from '@rivulet/protocol'
import type { Context } from 'hono'
import { checkId } from '../http/fields.ts'
import type { BodyLimits } from '../http/read-body.ts'
import type { RunKeeper } from '../runs/run-keeper.ts'
import type { EventStream } from '../stream/event-stream.ts'
import type { LiveStreams } from '../stream/live-streams.ts'
import type { Log } from '../telemetry/log-entry.ts'
import type { Store, Thread } from '../threads/store.ts'

/** Who sends a request, as the server needs to know it. */
export interface Identity {
  /** Whose threads these are. */
  tenant: string
}

/** What a request carries through the routes. */
export interface AppEnv {
  Variables: { tenant: string }
  /** Where a route leaves the stream it answered with. */
  Bindings: { offered: { stream?: EventStream } }
}

/** What the routes work with. */
export interface Deps {
  graphs: ReadonlyMap<string, StreamableGraph>
  store: Store
  runs: RunKeeper
  streams: LiveStreams
  bodyLimits: BodyLimits
  heartbeatMs: number
  stallMs: number
  now: () => number
  onError: (error: unknown) => void
  log: Log
}

/** The thread in a request's path. Throws `INVALID_INPUT` for an id that is none, `NOT_FOUND` when it is not this tenant's. */
export async function threadOf({ store }: Deps, context: Context<AppEnv>): Promise<Thread> {
  const id = threadId(context)
  const thread = await store.getThread(context.get('tenant'), id)
  if (thread === undefined) throw new RivuletError('NOT_FOUND', `there is no thread ${id}`)
  return thread
}

/** The thread id in a request's path. */
export function threadId(context: Context<AppEnv>): string {
  return checkId(context.req.param('thread') ?? '', 'the thread id')
}

/** A page's or a filter's values of one name in the query, also where they are one text with commas. */
export function listInQuery(context: Context<AppEnv>, name: string): readonly string[] | undefined {
  return context.req.queries(name)?.flatMap((value) => value.split(','))
}
