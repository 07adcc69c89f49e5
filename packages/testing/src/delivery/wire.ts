import { encodeFatal, encodeFrame, randomId, RivuletError, wireState } from '@rivulet/protocol'
import type { Pump } from '../pump/pump.ts'
import { answerCall } from './answer-call.ts'
import { createConnections, type DeliveryOptions, type StreamRequest } from './connections.ts'
import { responseOf } from './play-acts.ts'
import { callOf, readRead, readStart } from './read-request.ts'
import { errorBody, statusOf } from './stream-acts.ts'

/** Answers requests as our server does. Rejects as `fetch` does when nothing is answered. */
export type Wire = (request: Request) => Promise<Response>

const encoder = new TextEncoder()

/** A wire of its own, with its own faults, to what a pump plays. */
export function createWire(pump: Pump, options: DeliveryOptions = {}): Wire {
  const connections = createConnections(pump, options)
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
      return await stream(await readStart(call.thread, request, randomId), request.signal)
    } catch (error) {
      if (!(error instanceof RivuletError)) throw error
      return Response.json(errorBody(error), { status: statusOf(error) })
    }
  }
}
