import { fetchTransport, webSocketTransport } from '@rivulet/client'
import { webSocketPair, type PairEnd, type PairedSocket } from '../../src/index.ts'
import { askedOverHttp, askedOverSocket, backendOf, bodyOf, socketTexts, type Backend } from './backend.ts'
import type { Recording } from './recordings.ts'
import { play, restlessTime, type Cut, type Outcome } from './session.ts'

const url = 'http://recorded.test'

/** A session over HTTP bodies in memory, on virtual time, with one cut. */
export function overBodies(recording: Recording, cut: Cut): Promise<Outcome> {
  const backend = backendOf(recording)
  const { timing, until } = restlessTime()
  const transport = fetchTransport({
    url,
    fetch: async (input, init) => {
      // Our transport asks for addresses as text.
      const asked = askedOverHttp(new URL(input as string), init?.body)
      const { frames, isFirst } = await backend(asked)
      const body = bodyOf(frames)
      return new Response(isFirst && asked.run === cut.run ? cutBody(body, cut) : body, {
        headers: { 'content-type': 'text/event-stream' },
      })
    },
  })
  return until(play(recording, transport, timing))
}

/** The same over sockets in memory; they are cut between two frames, as a socket has no half ones. */
export function overFrames(recording: Recording, cut: Cut): Promise<Outcome> {
  const backend = backendOf(recording)
  const { timing, until } = restlessTime()
  // A class to its caller; every socket is one end of a pair.
  const webSocket = function PairedWebSocket(): PairedSocket {
    const [client, server] = webSocketPair()
    server.addEventListener('message', ({ data }) => void answer(server, backend, cut, String(data)))
    return client
  } as unknown as new (url: string) => PairedSocket
  return until(play(recording, webSocketTransport({ url, webSocket }), timing))
}

function cutBody(body: Uint8Array, { at, kind }: Cut): ReadableStream<Uint8Array> {
  let isSent = false
  return new ReadableStream(
    {
      pull(controller) {
        if (!isSent && at > 0) controller.enqueue(body.subarray(0, at))
        else if (kind === 'fin') controller.close()
        else if (kind === 'rst') controller.error(new TypeError('terminated'))
        isSent = true
        // A stall: the pull never ends.
        return kind === 'stall' && at === 0 ? new Promise(() => {}) : undefined
      },
    },
    { highWaterMark: 0 },
  )
}

async function answer(socket: PairEnd, backend: Backend, given: Cut, said: string): Promise<void> {
  const asked = askedOverSocket(said)
  if (asked === undefined) return
  const { frames, isFirst } = await backend(asked)
  const cut = isFirst && given.run === asked.run ? given : undefined
  for (const text of socketTexts(frames).slice(0, cut?.at)) socket.send(text)
  if (cut?.kind === 'rst') socket.break()
  else if (cut?.kind !== 'stall') socket.close()
}
