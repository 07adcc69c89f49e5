import { RivuletError, type StreamableGraph } from '@rivulet/protocol'
import type { Context } from 'hono'
import { type AppEnv, type Deps, threadId } from '../app/deps.ts'
import { newThread } from '../app/run-routes.ts'
import { asFields, checkId, type Fields } from '../http/fields.ts'
import { readBody } from '../http/read-body.ts'
import type { Run, Thread } from '../threads/store.ts'

/** The object in a request's body; `{}` when there is none. */
export async function bodyOf(deps: Deps, { req }: Context<AppEnv>): Promise<Fields> {
  return asFields((await readBody(req.raw, deps.bodyLimits)) ?? {}, 'the body')
}

/** The graph of an assistant. Throws `NOT_FOUND`, naming those there are. */
export function graphOfAssistant({ runs }: Deps, assistant: string): StreamableGraph {
  return runs.graphNamed(assistant)
}

/** The thread of this id, made for `graph` when it is not there. */
export async function threadFor(deps: Deps, tenant: string, id: string, graph: string): Promise<Thread> {
  const { thread } = await deps.store.createThread(tenant, { ...newThread(deps, id, namesOf(graph)), graph })
  if (thread.metadata['graph_id'] === graph) return thread
  const metadata = { ...thread.metadata, ...namesOf(graph) }
  await deps.store.changeThread(tenant, id, { metadata, graph })
  return { ...thread, metadata, graph }
}

/** What a thread's metadata say of its graph, so that threads can be searched by it. */
export function namesOf(graph: string): Fields {
  return { graph_id: graph, assistant_id: graph }
}

/** The run in a request's path, of the thread in it. Throws `NOT_FOUND`. */
export async function runIn({ store }: Deps, context: Context<AppEnv>): Promise<Run> {
  const id = checkId(context.req.param('run') ?? '', 'the run id')
  const run = await store.getRun(context.get('tenant'), threadId(context), id)
  if (run === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${id} on this thread`)
  return run
}

/** A count in a body or a query, from 0. */
export function countIn(fields: Fields, name: string, max: number): number | undefined {
  const value = fields[name] ?? undefined
  if (value === undefined) return undefined
  const count = typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : value
  if (typeof count === 'number' && Number.isInteger(count) && count >= 0 && count <= max) return count
  throw new RivuletError('INVALID_INPUT', `${name} must be a whole number from 0 to ${max}`)
}

/** A switch in a query, as these clients write it. */
export function isOn(value: string | undefined): boolean {
  return value === '1' || value === 'true'
}
