import type { StartRequest } from '@rivulet/client'
import { parseNamespace, RivuletError } from '@rivulet/protocol'
import type { StreamRequest } from './connections.ts'

/** A request by its route; `undefined` when there is no such route. */
export type Call =
  | { kind: 'start' | 'read'; thread: string }
  | { kind: 'cancel'; thread: string; run: string }
  | { kind: 'state' | 'update' | 'history' | 'thread' | 'forget'; thread: string }
  | { kind: 'threads' | 'create' }

const ROUTES: readonly [method: string, path: RegExp, call: (found: string[]) => Call][] = [
  ['POST', /\/v1\/threads\/([^/]+)\/runs$/, ([thread = '']) => ({ kind: 'start', thread })],
  ['GET', /\/v1\/threads\/([^/]+)\/events$/, ([thread = '']) => ({ kind: 'read', thread })],
  [
    'POST',
    /\/v1\/threads\/([^/]+)\/runs\/([^/]+)\/cancel$/,
    ([thread = '', run = '']) => ({ kind: 'cancel', thread, run }),
  ],
  ['GET', /\/v1\/threads\/([^/]+)\/state$/, ([thread = '']) => ({ kind: 'state', thread })],
  ['POST', /\/v1\/threads\/([^/]+)\/state$/, ([thread = '']) => ({ kind: 'update', thread })],
  ['GET', /\/v1\/threads\/([^/]+)\/history$/, ([thread = '']) => ({ kind: 'history', thread })],
  ['GET', /\/v1\/threads\/([^/]+)$/, ([thread = '']) => ({ kind: 'thread', thread })],
  ['DELETE', /\/v1\/threads\/([^/]+)$/, ([thread = '']) => ({ kind: 'forget', thread })],
  ['GET', /\/v1\/threads$/, () => ({ kind: 'threads' })],
  ['POST', /\/v1\/threads$/, () => ({ kind: 'create' })],
]

/** What a request asks for by its method and path. */
export function callOf(request: Request): Call | undefined {
  const { pathname } = new URL(request.url)
  for (const [method, path, call] of ROUTES) {
    const found = request.method === method ? path.exec(pathname) : null
    if (found !== null) return call(found.slice(1).map(decodeURIComponent))
  }
  return undefined
}

/** The run that a request's body describes. Throws `INVALID_INPUT` for what is no JSON object. */
export async function readStart(thread: string, request: Request, makeId: () => string): Promise<StreamRequest> {
  const body = await readObject(request)
  const { after, run = makeId(), ...rest } = body
  // The kit's own client wrote it, or a page's; of the fields only those that the script reads matter.
  const start = { graph: 'script', input: undefined, ...rest, run } as StartRequest
  return { open: { thread, start }, after: typeof after === 'string' ? after : undefined }
}

/** The JSON object in a request's body, `{}` for an empty one. Throws `INVALID_INPUT` for anything else. */
export async function readObject(request: Request): Promise<Record<string, unknown>> {
  const text = await request.text()
  if (text === '') return {}
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body === 'object' && body !== null) return { ...body }
  } catch {
    // Told below.
  }
  throw new RivuletError('INVALID_INPUT', 'the body is not a JSON object')
}

/** What a reading request asks for. */
export function readRead(thread: string, request: Request): StreamRequest {
  const { searchParams } = new URL(request.url)
  const list = (name: string) => (searchParams.has(name) ? searchParams.getAll(name) : undefined)
  const filter = { namespaces: list('ns')?.map(parseNamespace), nodes: list('node'), tags: list('tag') }
  const after = searchParams.get('after') ?? request.headers.get('last-event-id')
  return { open: { thread, until: searchParams.get('until') ?? undefined, filter }, after: after || undefined }
}
