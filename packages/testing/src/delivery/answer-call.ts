import { parseNamespace, RivuletError, type Namespace } from '@rivulet/protocol'
import type { Pump } from '../pump/pump.ts'
import { backstageOf } from '../pump/stage.ts'
import { readObject, type Call } from './read-request.ts'

/** Answers a request for anything but a stream. Throws a `RivuletError` for what cannot be done. */
export async function answerCall(pump: Pump, call: Call | undefined, request: Request): Promise<Response> {
  const { searchParams, pathname } = new URL(request.url)
  const { backend } = pump
  const { threads } = backend
  const text = (name: string) => searchParams.get(name) ?? undefined
  const limit = searchParams.has('limit') ? Number(text('limit')) : undefined
  switch (call?.kind) {
    case 'cancel':
      backstageOf(pump).cancel(call.run)
      await backend.cancel?.(call.thread, call.run, {})
      return Response.json({ run: call.run })
    case 'state':
      return found(
        await backend.state?.(call.thread, {
          checkpointId: text('checkpointId'),
          ns: parseNamespace(text('ns') ?? ''),
          subgraphs: text('subgraphs') === '1',
        }),
      )
    case 'update': {
      const { update, asNode, checkpointId, ns } = await readObject(request)
      // The kit's own client wrote it, or a page's; a backend without graphs of its own has no such call.
      const place = { asNode, checkpointId, ns } as { asNode?: string; checkpointId?: string; ns?: Namespace }
      return found(await backend.update?.(call.thread, update, place))
    }
    case 'history':
      return found(
        await backend.history?.(call.thread, { limit, before: text('before'), ns: parseNamespace(text('ns') ?? '') }),
      )
    case 'threads':
      return found(await threads?.list({ limit, cursor: text('cursor') }))
    case 'create':
      return found(await threads?.create(await readObject(request)))
    case 'thread':
      return found(await threads?.get(call.thread))
    case 'forget':
      await threads?.delete(call.thread)
      return new Response(null, { status: 204 })
    default:
      throw new RivuletError('NOT_FOUND', `there is no ${request.method} ${pathname}`)
  }
}

function found(answer: unknown): Response {
  if (answer !== undefined) return Response.json(answer)
  throw new RivuletError('NOT_FOUND', 'a script has no such thing')
}
