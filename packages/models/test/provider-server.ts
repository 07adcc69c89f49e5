import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One request, as far as tests look at it. */
export interface ProviderRequest {
  readonly path: string
  readonly headers: IncomingMessage['headers']
  /** The body, read as JSON. */
  readonly body: Readonly<Record<string, unknown>>
}

/** Answers one request; called with the number of requests before it. */
export type Handler = (response: ServerResponse, request: ProviderRequest, count: number) => void | Promise<void>

/** A provider on the loopback. */
export interface ProviderServer {
  /** `http://127.0.0.1:<port>`. */
  readonly url: string
  readonly requests: readonly ProviderRequest[]
  /** Resolves when the answer to the request with this number has been closed, by whoever. */
  closed(count: number): Promise<void>
  close(): Promise<void>
}

/** Starts a {@link ProviderServer} on a free port. */
export async function providerServer(handler: Handler): Promise<ProviderServer> {
  const requests: ProviderRequest[] = []
  const closings: Promise<void>[] = []
  const answer = async (incoming: IncomingMessage, response: ServerResponse): Promise<void> => {
    const count = closings.push(new Promise((resolve) => response.once('close', resolve))) - 1
    let body = ''
    for await (const piece of incoming.setEncoding('utf8')) body += String(piece)
    // The package under test wrote it.
    requests.push({
      path: incoming.url ?? '',
      headers: incoming.headers,
      body: JSON.parse(body) as ProviderRequest['body'],
    })
    await handler(response, requests.at(-1)!, count)
  }
  const server = createServer((incoming, response) => {
    answer(incoming, response).catch((error: unknown) => response.destroy(error as Error))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // A server that listens on a port has an address with one.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    closed: async (count) => closings[count],
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Events as server-sent events, each named by its `type` where it has one, as OpenAI's responses and Anthropic name them. */
export function sse(events: readonly object[], { end = '' }: { end?: string } = {}): string {
  const frames = events.map((event) => {
    const name = 'type' in event ? `event: ${String(event.type)}\n` : ''
    return `${name}data: ${JSON.stringify(event)}\n\n`
  })
  return frames.join('') + end
}

/** Streams a body in pieces that end at these places, counted in bytes. */
export async function writeStream(response: ServerResponse, body: string, cuts: readonly number[] = []): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' })
  const bytes = Buffer.from(body)
  const borders = [0, ...cuts.map((cut) => cut % bytes.length).toSorted((a, b) => a - b), bytes.length]
  for (const [i, end] of borders.slice(1).entries()) {
    const piece = bytes.subarray(borders[i], end)
    if (piece.length === 0) continue
    // Written and gone before the next, so that they do not leave together.
    await new Promise<void>((resolve) => response.write(piece, () => resolve()))
    await new Promise((resolve) => setImmediate(resolve))
  }
  response.end()
}

/** Answers with JSON. */
export function writeJson(
  response: ServerResponse,
  body: object,
  status = 200,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
