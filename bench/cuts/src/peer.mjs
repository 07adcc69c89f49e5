import { createServer } from 'node:http'

/**
 * @typedef {import('./table.mjs').Kind} Kind
 * @typedef {import('./table.mjs').Outcome} Outcome
 * @typedef {import('./table.mjs').Scores} Scores
 * @typedef {import('./streams.mjs').Stream} Stream
 */

/** @typedef {{ run: number, at: number, kind: Kind }} Cut behind so many bytes of a run's first body */

/**
 * One answer of a backend: an event stream, whole unless a cut is given, or JSON.
 *
 * @typedef {{ blocks: readonly string[], headers?: Record<string, string>, cut?: Cut | undefined } | { json: unknown } | { status: number }} Answer
 */

/**
 * What a client did with one stream: what it showed, moment after moment, as text, and how it ended.
 *
 * @typedef {{ shown: readonly string[], error: unknown }} Seen
 */

/**
 * A client of others with a backend that speaks to it.
 *
 * @typedef {object} Peer
 * @property {(stream: Stream) => Promise<(readonly string[])[]>} write blocks of its wire, by run
 * @property {(blocks: (readonly string[])[], cut: Cut | undefined) => (request: Request) => Answer} backend
 *   answers one session's requests; paths begin behind the session's own
 * @property {(url: string, runs: number, show: (state: unknown) => void) => Promise<void>} play
 *   starts so many runs as its documentation says and shows what it has; throws what it reports
 * @typedef {{ method: string, path: string, headers: import('node:http').IncomingHttpHeaders }} Request
 */

/** Time passes faster for waits of others, so that retries and what notices silence have their time. */
const FASTER = 1_000
/** Milliseconds, as many seconds of theirs, after which nothing is expected any more of a connection that ended, or stalls. */
const PATIENCE_MS = { fin: 5_000, rst: 5_000, stall: 300 }

const KINDS = /** @type {const} */ (['fin', 'rst', 'stall'])

/**
 * Scores of a client of others over this machine's sockets, cut behind every block and so many bytes of each run.
 *
 * @param {Peer} peer
 * @param {readonly Stream[]} streams
 * @param {{ bytes: number, lanes: number }} sample
 * @returns {Promise<Scores>}
 */
export async function scorePeer(peer, streams, { bytes, lanes }) {
  const host = await serve()
  /** @type {Record<Kind, Partial<Record<Outcome, number>>>} */
  const scores = { fin: {}, rst: {}, stall: {} }
  const hurried = hurry()
  try {
    const cuts = []
    for (const stream of streams) {
      const blocks = await peer.write(stream)
      for (let run = 0; run < blocks.length; run++) {
        const whole = await session(host, peer, blocks, run + 1, undefined, 5_000)
        if (whole.error === HUNG) throw new Error(`${stream.name} has no end without a cut`)
        for (const at of placesOf(blocks[run] ?? [], bytes, cuts.length)) {
          for (const kind of KINDS) cuts.push({ blocks, whole: whole.shown, cut: { run, at, kind } })
        }
      }
    }
    const next = cuts.values()
    const lane = async () => {
      for (const { blocks, whole, cut } of next) {
        const outcome = judge(await session(host, peer, blocks, cut.run + 1, cut, PATIENCE_MS[cut.kind]), whole)
        scores[cut.kind][outcome] = (scores[cut.kind][outcome] ?? 0) + 1
      }
    }
    await Promise.all(Array.from({ length: lanes }, lane))
  } finally {
    hurried.restore()
    host.close()
  }
  return scores
}

/**
 * @param {Seen} seen
 * @param {readonly string[]} whole what is shown without a cut
 * @returns {Outcome}
 */
function judge({ shown, error }, whole) {
  if (shown.some((state) => !whole.includes(state))) return 'wrong'
  if (shown.at(-1) === whole.at(-1)) return 'recovered'
  return error === undefined ? 'silent' : error === HUNG ? 'hung' : 'reported'
}

const HUNG = Symbol('hung')

/**
 * @param {Awaited<ReturnType<typeof serve>>} host
 * @param {Peer} peer
 * @param {(readonly string[])[]} blocks
 * @param {number} runs
 * @param {Cut | undefined} cut
 * @param {number} patienceMs
 * @returns {Promise<Seen>}
 */
async function session(host, peer, blocks, runs, cut, patienceMs) {
  /** @type {string[]} */
  const shown = []
  let isOver = false
  const { url, leave } = host.join(peer.backend(blocks, cut))
  const show = (/** @type {unknown} */ state) => {
    if (!isOver) shown.push(JSON.stringify(state))
  }
  const error = await Promise.race([
    peer.play(url, runs, show).then(
      () => undefined,
      (thrown) => thrown ?? new Error('something'),
    ),
    host.patience(patienceMs),
  ])
  isOver = true
  leave()
  return { shown, error }
}

/** A server that ends bodies in good order (`fin`), as a server or a proxy does that gives up on its own, or resets. */
async function serve() {
  /** @type {Map<string, (request: Request) => Answer>} */
  const sessions = new Map()
  /** @type {Map<string, Set<import('node:net').Socket>>} */
  const sockets = new Map()
  const server = createServer((request, response) => void reply(request, response))
  const reply = async (
    /** @type {import('node:http').IncomingMessage} */ request,
    /** @type {import('node:http').ServerResponse} */ response,
  ) => {
    request.resume()
    const [, id = '', ...rest] = (request.url ?? '').split('/')
    sockets.get(id)?.add(request.socket)
    const answer = sessions.get(id)?.({
      method: request.method ?? '',
      path: `/${rest.join('/')}`,
      headers: request.headers,
    })
    // A connection belongs to one session. `fetch` takes a reset for an end where the server has said that it will close.
    const cut = answer !== undefined && 'cut' in answer ? answer.cut : undefined
    response.shouldKeepAlive = cut !== undefined && cut.kind !== 'fin'
    if (answer === undefined || 'status' in answer) return void response.writeHead(answer?.status ?? 404).end()
    if ('json' in answer)
      return void response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer.json))
    const { blocks, headers } = answer
    response.writeHead(200, { 'content-type': 'text/event-stream', ...headers })
    response.flushHeaders()
    const body = Buffer.from(blocks.join(''))
    if (cut === undefined) return void response.end(body)
    await new Promise((resolve) => response.write(body.subarray(0, cut.at), resolve))
    if (cut.kind === 'fin') response.end()
    // What was written must have arrived first: a reset overtakes it otherwise.
    else if (cut.kind === 'rst') setImmediate(() => setImmediate(() => request.socket.resetAndDestroy()))
    return undefined
  }
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address())
  const { setTimeout } = globalThis
  let joined = 0
  return {
    join(/** @type {(request: Request) => Answer} */ backend) {
      const id = String(joined++)
      sessions.set(id, backend)
      sockets.set(id, new Set())
      const leave = () => {
        for (const socket of sockets.get(id) ?? []) socket.destroy()
        sessions.delete(id)
        sockets.delete(id)
      }
      return { url: `http://127.0.0.1:${port}/${id}`, leave }
    },
    patience: (/** @type {number} */ ms) => new Promise((resolve) => setTimeout(() => resolve(HUNG), ms)),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/**
 * @param {readonly string[]} blocks
 * @param {number} bytes
 * @param {number} seed
 */
function placesOf(blocks, bytes, seed) {
  let end = 0
  const borders = [0, ...blocks.map((block) => (end += Buffer.byteLength(block)))]
  const random = seeded(seed)
  return new Set([...borders, ...Array.from({ length: Math.min(bytes, end) }, () => Math.floor(random() * end))])
}

/** @param {number} seed */
function seeded(seed) {
  let state = seed + 1
  return () => {
    state = (state * 48_271) % 2_147_483_647
    return state / 2_147_483_647
  }
}

/** Waits of everything that is loaded later are shorter. */
function hurry() {
  const { setTimeout } = globalThis
  /** @type {(fn: (...given: unknown[]) => void, ms?: number, ...given: unknown[]) => unknown} */
  const faster = (fn, ms = 0, ...given) => setTimeout(fn, ms / FASTER, ...given)
  // The same function, with shorter times.
  globalThis.setTimeout = Object.assign(faster, setTimeout)
  return {
    restore() {
      globalThis.setTimeout = setTimeout
    },
  }
}
