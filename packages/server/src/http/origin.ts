import { RivuletError } from '@rivulet/protocol'
import { cors } from 'hono/cors'
import type { MiddlewareHandler } from 'hono'

/** Who else's pages may call the server. */
export interface CorsOptions {
  /** Origins such as `https://example.com`, or what tells whether one is allowed. `"*"`: any, which excludes credentials. */
  origins: readonly string[] | ((origin: string) => boolean)
  /** Whether pages of those origins may send cookies. Default `false`. */
  credentials?: boolean
  /** Request headers allowed beside `content-type`, `authorization` and `last-event-id`. */
  headers?: readonly string[]
}

/** Tells whether pages of an origin may call the server. */
export type OriginCheck = (origin: string) => boolean

/** Reads the options. Throws `INVALID_INPUT` for any origin with credentials, which would open every account to every page. */
export function originCheck(options: CorsOptions | undefined): OriginCheck {
  if (options === undefined) return () => false
  const { origins, credentials = false } = options
  if (typeof origins === 'function') return origins
  if (origins.includes('*')) {
    if (credentials) throw new RivuletError('INVALID_INPUT', 'cors: origin "*" cannot be combined with credentials')
    return () => true
  }
  return (origin) => origins.includes(origin)
}

/** What other protocols of the app need of the pages that may call. */
export interface MoreCors {
  /** Methods beside `GET`, `POST` and `DELETE`. */
  readonly methods: readonly string[]
  /** Headers of answers that pages may read. */
  readonly exposedHeaders: readonly string[]
}

/** Answers preflights and names the allowed origin, never another; without options it does nothing. */
export function corsHeaders(options: CorsOptions | undefined, more: readonly MoreCors[] = []): MiddlewareHandler {
  if (options === undefined) return (_context, next) => next()
  const allowed = originCheck(options)
  return cors({
    origin: (origin) => (allowed(origin) ? origin : null),
    credentials: options.credentials ?? false,
    allowMethods: ['GET', 'POST', 'DELETE', ...more.flatMap(({ methods }) => methods)],
    exposeHeaders: more.flatMap(({ exposedHeaders }) => exposedHeaders),
    allowHeaders: ['content-type', 'authorization', 'last-event-id', ...(options.headers ?? [])],
    maxAge: 600,
  })
}

/**
 * Throws `FORBIDDEN` when a page of another site, which the server does not allow, asks it to change something: the
 * browser would send the person's cookies along, and a request without a body needs no preflight.
 */
export function refuseForeignPage(request: Request, allowed: OriginCheck): void {
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') return
  refuseForeignOrigin(request, allowed)
}

/** Throws `FORBIDDEN` when a page of another site, which the server does not allow, sends the request. */
export function refuseForeignOrigin(request: Request, allowed: OriginCheck): void {
  const origin = request.headers.get('origin')
  const site = request.headers.get('sec-fetch-site')
  const own =
    site === null
      ? origin === null || hostOf(origin) === hostOf(request.url)
      : site === 'same-origin' || site === 'none'
  if (own || (origin !== null && allowed(origin))) return
  throw new RivuletError('FORBIDDEN', 'pages of this origin may not do that; see the cors option')
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined
}
