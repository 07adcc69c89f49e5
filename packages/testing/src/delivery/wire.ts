import { encodeFatal, encodeFrame, randomId, RivuletError, wireState } from '@rivulet/protocol'
import type { Pump } from '../pump/pump.ts'
import { answerCall } from './answer-call.ts'
import { startAlone, startAndWait } from './answer-start.ts'
import type { Connections, StreamRequest } from './connections.ts'
import { responseOf } from './play-acts.ts'
import { callOf, readRead, readStart } from './read-request.ts'
import { errorBody, statusOf } from './stream-acts.ts'

/** Answers requests as our server does. Rejects as `fetch` does when nothing is answered. */
export type Wire = (request: Request) => Promise<Response>

const encoder = new TextEncoder()

/** A wire to what a pump plays, whose streams are these connections. */
export function createWire(pump: Pump, connections: Connections): Wire {
  const stream = (asked: StreamRequest, signal: AbortSignal) => {
    const said = wireState()
    const { played, close } = connections.open(asked, signal, {
      frame: (frame) => encoder.encode(encodeFrame(frame, said)),
      fatal: (error) => encoder.encode(encodeFatal(error)),
    })
    return responseOf(played, close)
  }
  return async (request) => {
    try {
      const call = callOf(request)
      if (call?.kind === 'read') return await stream(readRead(call.thread, request), request.signal)
      if (call?.kind !== 'start') return await answerCall(pump, call, request)
      const start = await readStart(call.thread, request, randomId)
      if (takesStream(request)) return await stream(start, request.signal)
      const { searchParams } = new URL(request.url)
      return await (searchParams.get('wait') === '1' ? startAndWait : startAlone)(pump, start, request.signal)
    } catch (error) {
      if (!(error instanceof RivuletError)) throw error
      return Response.json(errorBody(error), { status: statusOf(error) })
    }
  }
}

function takesStream({ headers }: Request): boolean {
  return headers.get('accept')?.includes('text/event-stream') ?? false
}
