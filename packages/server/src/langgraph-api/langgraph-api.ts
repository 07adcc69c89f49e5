import { Hono } from 'hono'
import type { Api } from '../app/api.ts'
import type { AppEnv } from '../app/deps.ts'
import { checkId } from '../http/fields.ts'
import { publicError, statusOf } from '../http/public-error.ts'
import { agentRoutes } from './agent-routes.ts'
import { AgentSession } from './agent-session.ts'
import { assistantRoutes } from './assistant-routes.ts'
import { runRoutes } from './run-routes.ts'
import { threadRoutes } from './thread-routes.ts'

/**
 * LangGraph's protocols over an app's own threads, runs and logs: `createApp({ graphs, apis: [langGraphApi()] })`. What
 * is written for a LangGraph server, such as `Client` and `useStream` of `@langchain/langgraph-sdk`, works against it
 * unchanged, beside the app's own clients and on the same threads. A graph is an assistant of the same name.
 */
export function langGraphApi(): Api {
  return {
    mount(deps, identify) {
      const routes = new Hono<AppEnv>()
      routes.route('/', threadRoutes(deps))
      routes.route('/', runRoutes(deps))
      routes.route('/', assistantRoutes(deps))
      routes.route('/', agentRoutes(deps))
      routes.onError((error) => {
        const { code, message, retryable } = publicError(error)
        if (code === 'INTERNAL') deps.onError(error)
        const status = statusIn(statusOf(publicError(error)))
        const later: Record<string, string> = status === 429 ? { 'retry-after': '1' } : {}
        return Response.json(
          { detail: message, message, error: code, ...(retryable && { retryable }) },
          { status, headers: later },
        )
      })
      return {
        routes,
        methods: ['PATCH'],
        exposedHeaders: ['content-location', 'location'],
        isSocket: (path) => threadOfSocket(path) !== undefined,
        openSocket(request, connection) {
          const thread = threadOfSocket(new URL(request.url).pathname)
          return thread === undefined ? undefined : new AgentSession(deps, identify, request, thread, connection)
        },
      }
    },
  }
}

/** The thread whose events a socket of this path carries; `undefined` for other paths. */
function threadOfSocket(path: string): string | undefined {
  const thread = /^\/threads\/([^/]{1,384})\/stream(?:\/events)?$/.exec(path)?.[1]
  return thread === undefined || !/^[\w.-]{1,128}$/.test(thread) ? undefined : checkId(thread, 'the thread id')
}

/** These clients take 501 for something that may pass, and try again. */
function statusIn(status: number): number {
  return status === 501 ? 422 : status
}
