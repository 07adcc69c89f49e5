import { Hono, type Context } from 'hono'
import { type AppEnv, type Deps, threadId } from '../app/deps.ts'
import { offer } from '../app/offer.ts'
import { readBody } from '../http/read-body.ts'
import { type AgentPlace, carryOut, readCommand } from './agent-commands.ts'
import { isWanted, readFilter } from './agent-filter.ts'
import { type AgentReading, openAgentStream, serverSent } from './agent-stream.ts'
import { reconnected } from './agent-session.ts'
import { bodyOf, countIn } from './request.ts'

/** The agent streaming protocol over HTTP: commands, and streams that a thread's readers leave open. */
export function agentRoutes(deps: Deps): Hono<AppEnv> {
  const routes = new Hono<AppEnv>()

  routes.post('/threads/:thread/commands', async (context) => {
    const command = readCommand(await readBody(context.req.raw, deps.bodyLimits))
    const place = placeIn(context)
    if (command.method === 'subscription.reconnect') return Response.json(await reconnected(deps, place, command))
    return Response.json(await carryOut(deps, place, command))
  })

  const stream = async (context: Context<AppEnv>): Promise<Response> => {
    const body = await bodyOf(deps, context)
    const since = countIn(body, 'since', Number.MAX_SAFE_INTEGER)
    const interest = { filter: readFilter(body), since }
    const wants: AgentReading['wants'] = (frame, seq) => isWanted(interest, frame, seq)
    return offer(context, await openAgentStream(deps, placeIn(context), { since, wants, wire: serverSent }))
  }
  routes.post('/threads/:thread/stream', stream)
  routes.post('/threads/:thread/stream/events', stream)

  return routes
}

function placeIn(context: Context<AppEnv>): AgentPlace {
  return { tenant: context.get('tenant'), thread: threadId(context) }
}
