import { parseNamespace, RivuletError, toJson, type ReadFilter } from '@rivulet/protocol'
import { openThread } from '../app/event-routes.ts'
import { startRun, streamRun } from '../app/run-routes.ts'
import type { Deps, Identity } from '../app/deps.ts'
import {
  asFields,
  checkId,
  type Fields,
  invalid,
  optionalFields,
  optionalModes,
  optionalText,
  optionalTexts,
  text,
} from '../http/fields.ts'
import { publicError, statusOf } from '../http/public-error.ts'
import { checkJsonDepth } from '../http/read-body.ts'
import { checkCursor, readRunRequest } from '../runs/run-request.ts'
import type { EventStream } from '../stream/event-stream.ts'
import { socketWire } from '../stream/wire.ts'

/** A WebSocket, as a session needs it. */
export interface Connection {
  /** Sends a frame; resolves when the client has taken it. Rejects when it never will. */
  send(text: string): Promise<void>
  close(code: number): void
  /** Ends it without a word: the client takes nothing. */
  terminate(): void
}

/** Says who sends a request; `undefined` when it does not say. */
export type Identify = (request: Request) => Identity | undefined | Promise<Identity | undefined>

/** Milliseconds in which a client has to say what it wants. */
const OPENING_MS = 5000
const COMPLETE = 1000
const GOING_AWAY = 1001
/** What is added to an HTTP status. */
const STATUS_BASE = 4000

/** One socket: who is at its other end, what they asked to read, and the stream of it. */
export class SocketSession {
  readonly #deps: Deps
  readonly #identify: Identify
  readonly #request: Request
  readonly #connection: Connection
  readonly #clock: ReturnType<typeof setTimeout>
  /** Frames are answered one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #tenant: string | undefined
  #thread: string | undefined
  #stream: EventStream | undefined
  #closed = false

  /** `request` is the one that asked for the socket. */
  constructor(deps: Deps, identify: Identify, request: Request, connection: Connection) {
    this.#deps = deps
    this.#identify = identify
    this.#request = request
    this.#connection = connection
    this.#clock = setTimeout(
      () => void this.#refuse(new RivuletError('AUTH_REQUIRED', 'nothing was asked for')),
      OPENING_MS,
    )
  }

  /** Takes a frame of the client. */
  receive(frame: string): void {
    this.#turn = this.#turn.then(() => this.#answer(frame)).catch((error: unknown) => this.#refuse(error))
  }

  /** The client is gone. */
  leave(): void {
    this.#closed = true
    clearTimeout(this.#clock)
    this.#stream?.leave()
  }

  async #answer(frame: string): Promise<void> {
    if (this.#closed) return
    const fields = asFields(parse(frame, this.#deps.bodyLimits.jsonDepth), 'a frame')
    switch (fields['type']) {
      case 'auth':
        return this.#authenticate(fields)
      case 'open':
        return this.#open(fields)
      case 'cancel':
        return this.#cancel(fields)
      default:
        throw invalid('a frame is of type auth, open or cancel')
    }
  }

  async #authenticate(fields: Fields): Promise<void> {
    if (this.#tenant !== undefined) throw invalid('auth comes first, and once')
    const headers = new Headers(this.#request.headers)
    for (const [name, value] of Object.entries(optionalFields(fields, 'headers') ?? {})) {
      if (typeof value !== 'string') throw invalid('headers must be texts')
      setHeader(headers, name, value)
    }
    await this.#identifyBy(new Request(this.#request.url, { headers }))
  }

  async #identifyBy(request: Request): Promise<string> {
    const identity = await this.#identify(request)
    if (identity === undefined) throw new RivuletError('AUTH_REQUIRED', 'the socket does not say who it is from')
    this.#tenant = identity.tenant
    return identity.tenant
  }

  async #open(fields: Fields): Promise<void> {
    if (this.#stream !== undefined) throw invalid('a socket carries one stream')
    const tenant = this.#tenant ?? (await this.#identifyBy(this.#request))
    const id = checkId(text(fields, 'thread'), 'thread')
    const after = checkCursor(optionalText(fields, 'after'))
    const filter = filterOf(optionalFields(fields, 'filter') ?? {})
    const stream =
      fields['start'] === undefined
        ? await this.#openThread(tenant, id, fields, { ...filter, after })
        : await this.#openRun(tenant, id, fields['start'], after, filter)
    clearTimeout(this.#clock)
    this.#thread = id
    this.#stream = stream
    // It left while the stream was opened.
    if (this.#closed) return stream.leave()
    void this.#pump(stream)
  }

  async #openThread(
    tenant: string,
    id: string,
    fields: Fields,
    query: ReadFilter & { after: string | undefined },
  ): Promise<EventStream> {
    const until = optionalText(fields, 'until')
    const thread = await this.#deps.store.getThread(tenant, id)
    if (thread === undefined) throw new RivuletError('NOT_FOUND', `there is no thread ${id}`)
    const end = until === undefined ? {} : { until: checkId(until, 'until') }
    return openThread(this.#deps, tenant, thread, { ...query, ...end }, socketWire)
  }

  async #openRun(
    tenant: string,
    id: string,
    start: unknown,
    after: string | undefined,
    filter: ReadFilter,
  ): Promise<EventStream> {
    const request = { ...readRunRequest(start), after }
    const { thread, started } = await startRun(this.#deps, tenant, id, request)
    return streamRun(this.#deps, tenant, thread, started, request, { filter, wire: socketWire })
  }

  /** Stops a run; how that went is told by its end in the stream. */
  async #cancel(fields: Fields): Promise<void> {
    if (this.#tenant === undefined || this.#thread === undefined) throw invalid('cancel comes after open')
    await this.#deps.runs.cancel(this.#tenant, this.#thread, checkId(text(fields, 'run'), 'run'))
  }

  /** Writes the stream as fast as the client takes it, and no faster. */
  async #pump(stream: EventStream): Promise<void> {
    stream.ended.addEventListener('abort', () => {
      // A client that takes nothing is not told why: it would not take that either.
      if (isTooSlow(stream)) this.#connection.terminate()
    })
    try {
      for (;;) {
        const frame = await stream.next()
        if (frame === undefined) break
        if (frame !== '') await this.#connection.send(frame)
      }
      this.#connection.close(closeCode(stream))
    } catch {
      stream.leave()
    }
  }

  async #refuse(error: unknown): Promise<void> {
    if (this.#closed) return
    const told = publicError(error)
    if (told.code === 'INTERNAL') this.#deps.onError(error)
    clearTimeout(this.#clock)
    const stream = this.#stream
    if (stream !== undefined) return stream.end(told)
    this.#closed = true
    try {
      await this.#connection.send(socketWire.fatal(told.toJSON()))
    } catch {
      // It is closed all the same.
    }
    this.#connection.close(STATUS_BASE + statusOf(told))
  }
}

function isTooSlow({ lastWord }: EventStream): boolean {
  return lastWord instanceof RivuletError && lastWord.code === 'SLOW_CONSUMER'
}

function closeCode({ lastWord }: EventStream): number {
  if (lastWord === undefined) return COMPLETE
  return lastWord instanceof RivuletError ? STATUS_BASE + statusOf(lastWord) : GOING_AWAY
}

function parse(frame: string, maxDepth: number): unknown {
  checkJsonDepth(frame, maxDepth)
  try {
    return toJson(JSON.parse(frame))
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', 'a frame is not JSON', { cause })
  }
}

function setHeader(headers: Headers, name: string, value: string): void {
  try {
    headers.set(name, value)
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', 'headers must be names and values as HTTP has them', { cause })
  }
}

function filterOf(fields: Fields): ReadFilter {
  const nodes = optionalTexts(fields, 'nodes')
  const tags = optionalTexts(fields, 'tags')
  const modes = optionalModes(fields, 'modes')
  const namespaces = namespacesIn(fields['namespaces'] ?? undefined)
  return { ...(modes && { modes }), ...(nodes && { nodes }), ...(tags && { tags }), ...(namespaces && { namespaces }) }
}

function namespacesIn(value: unknown): (readonly string[])[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw invalid('namespaces must be a list of lists of segments')
  return value.map((one: unknown) => {
    if (Array.isArray(one) && one.every((segment) => typeof segment === 'string')) return parseNamespace(one.join('|'))
    throw invalid('namespaces must be a list of lists of segments')
  })
}
