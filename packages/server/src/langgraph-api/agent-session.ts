import { RivuletError, toJson } from '@rivulet/protocol'
import type { Session } from '../app/api.ts'
import type { Deps } from '../app/deps.ts'
import { type Fields, optionalText, optionalTexts, text } from '../http/fields.ts'
import { statusOf, publicError } from '../http/public-error.ts'
import { checkJsonDepth } from '../http/read-body.ts'
import type { Connection, Identify } from '../socket/session.ts'
import type { EventStream } from '../stream/event-stream.ts'
import {
  type AgentAnswer,
  type AgentCommand,
  type AgentPlace,
  carryOut,
  eventsAfter,
  failed,
  readCommand,
  statusEntries,
} from './agent-commands.ts'
import { type AgentInterest, filterInToken, filterToken, isWanted, readFilter } from './agent-filter.ts'
import { frameSeq } from './agent-teller.ts'
import { lines, openAgentStream, openThreadFor } from './agent-stream.ts'

/** Subscriptions of one socket. */
const MAX_SUBSCRIPTIONS = 64
/** Commands of one socket that wait for their turn. */
const MAX_WAITING = 256
/**
 * Milliseconds in which further subscriptions are waited for before anything is told: clients make several in a row, and
 * take the end of a run as the end of what any of them gets.
 */
const GATHER_MS = 25
/** Added to an HTTP status for the code that a socket is closed with. */
const STATUS_BASE = 4000
const GOING_AWAY = 1001

/**
 * One socket of the agent streaming protocol: commands, and the frames that any of its subscriptions wants, in the
 * thread's order. A new subscription begins with the thread's last turn, so that all are told that again: clients know
 * by their ids which frames they have had.
 */
export class AgentSession implements Session {
  readonly #deps: Deps
  readonly #identify: Identify
  readonly #request: Request
  readonly #connection: Connection
  readonly #thread: string
  readonly #interests = new Map<string, AgentInterest>()
  #stream: EventStream | undefined
  #gathering: ReturnType<typeof setTimeout> | undefined
  /** Frames are answered one after the other. */
  #turn: Promise<void> = Promise.resolve()
  #tenant: string | undefined
  #made = 0
  #waiting = 0
  #closed = false

  /** `request` is the one that asked for the socket, `thread` the one in its path. */
  constructor(deps: Deps, identify: Identify, request: Request, thread: string, connection: Connection) {
    this.#deps = deps
    this.#identify = identify
    this.#request = request
    this.#thread = thread
    this.#connection = connection
    // A stranger is told at once, and not when it asks for something.
    this.#turn = this.#place().then(
      () => undefined,
      (error: unknown) => this.#refuse(error),
    )
  }

  receive(frame: string): void {
    if (++this.#waiting > MAX_WAITING) {
      return this.#refuse(new RivuletError('LIMIT_EXCEEDED', `${MAX_WAITING} commands wait`, { retryable: true }))
    }
    this.#turn = this.#turn
      .then(() => this.#answer(frame))
      .catch((error: unknown) => this.#refuse(error))
      .finally(() => this.#waiting--)
  }

  leave(): void {
    this.#closed = true
    clearTimeout(this.#gathering)
    this.#stream?.leave()
  }

  async #place(): Promise<AgentPlace> {
    if (this.#tenant === undefined) {
      const identity = await this.#identify(this.#request)
      if (identity === undefined) throw new RivuletError('AUTH_REQUIRED', 'the socket does not say who it is from')
      this.#tenant = identity.tenant
    }
    return { tenant: this.#tenant, thread: this.#thread }
  }

  async #answer(frame: string): Promise<void> {
    if (this.#closed) return
    const place = await this.#place()
    let command: AgentCommand
    try {
      checkJsonDepth(frame, this.#deps.bodyLimits.jsonDepth)
      command = readCommand(parse(frame))
    } catch (error) {
      return this.#send(failed(this.#deps, null, error))
    }
    switch (command.method) {
      case 'subscription.subscribe':
        return this.#subscribe(place, command)
      case 'subscription.unsubscribe':
        return this.#unsubscribe(place, command)
      case 'subscription.reconnect':
        return this.#reconnect(place, command)
      default:
        return this.#send(await carryOut(this.#deps, place, command))
    }
  }

  async #subscribe(place: AgentPlace, { id, params }: AgentCommand): Promise<void> {
    let subscription: string
    try {
      const filter = readFilter(params)
      subscription = `${++this.#made}.${filterToken(filter)}`
      this.#add(subscription, { filter })
    } catch (error) {
      return this.#send(failed(this.#deps, id, error))
    }
    // Clients take frames only of what they know that they subscribed to.
    await this.#send(await this.#success(place, id, { subscription_id: subscription }))
    this.#tellAnew(place)
  }

  #add(id: string, interest: AgentInterest): void {
    if (this.#interests.size >= MAX_SUBSCRIPTIONS) {
      throw new RivuletError('LIMIT_EXCEEDED', `a socket carries ${MAX_SUBSCRIPTIONS} subscriptions`)
    }
    this.#interests.set(id, interest)
  }

  async #unsubscribe(place: AgentPlace, { id, params }: AgentCommand): Promise<void> {
    if (!this.#interests.delete(optionalText(params, 'subscription_id') ?? '')) {
      return this.#send({ type: 'error', id, error: 'no_such_subscription', message: 'there is no such subscription' })
    }
    await this.#send(await this.#success(place, id, {}))
  }

  /** Takes up subscriptions of a socket that was lost, behind the last frame that came over it. */
  async #reconnect(place: AgentPlace, command: AgentCommand): Promise<void> {
    const answer = await reconnected(this.#deps, place, command)
    if (answer.type === 'error') return this.#send(answer)
    const { params, id } = command
    try {
      const since = seqOf(optionalText(params, 'last_event_id'))
      const interests = (optionalTexts(params, 'subscriptions') ?? []).map((subscription) => ({
        subscription,
        filter: filterInToken(subscription.replace(/^\d{1,9}\./, '')),
      }))
      for (const { subscription, filter } of interests) this.#add(subscription, { filter, since })
    } catch (error) {
      return this.#send(failed(this.#deps, id, error))
    }
    await this.#send({ ...answer, result: { ...answer.result, restored: true } })
    this.#tellAnew(place)
  }

  /** Ends what is told, and begins anew for all subscriptions once there are no more of them. */
  #tellAnew(place: AgentPlace): void {
    const before = this.#stream
    this.#stream = undefined
    before?.end()
    if (this.#closed) return
    this.#gathering ??= setTimeout(() => {
      this.#gathering = undefined
      this.#turn = this.#turn.then(() => this.#tell(place)).catch((error: unknown) => this.#refuse(error))
    }, GATHER_MS)
  }

  async #tell(place: AgentPlace): Promise<void> {
    if (this.#closed || this.#gathering !== undefined) return
    const interests = [...this.#interests.values()]
    const places = interests.map(({ since }) => since ?? -1)
    const since = places.includes(-1) || places.length === 0 ? undefined : Math.min(...places)
    const stream = await openAgentStream(this.#deps, place, {
      since,
      // Those that are given up in the meantime want nothing more.
      wants: (frame, seq) => [...this.#interests.values()].some((interest) => isWanted(interest, frame, seq)),
      wire: lines,
    })
    this.#stream = stream
    // It left while the stream was opened.
    if (this.#closed) stream.leave()
    else void this.#pump(stream)
  }

  async #success(place: AgentPlace, id: number, result: object): Promise<AgentAnswer> {
    const { log } = await openThreadFor(this.#deps, place)
    const meta = { thread_id: place.thread, applied_through_seq: frameSeq(log.head()) }
    return { type: 'success', id, result, meta }
  }

  /** Writes a stream as fast as the client takes it, and no faster. */
  async #pump(stream: EventStream): Promise<void> {
    try {
      for (;;) {
        const text = await stream.next()
        // Another one is told in its place: what is left of this comes again.
        if (text === undefined || this.#stream !== stream) break
        for (const line of text.split('\n')) if (line !== '') await this.#connection.send(line)
      }
    } catch {
      // The socket is gone, which its close says too.
      stream.leave()
    }
    // It ended by itself: the thread or the server goes, or the client takes nothing. All of them end the socket.
    if (this.#stream === stream && !this.#closed) this.#end(stream)
  }

  #end({ lastWord }: EventStream): void {
    this.leave()
    if (lastWord instanceof RivuletError && lastWord.code === 'SLOW_CONSUMER') this.#connection.terminate()
    else this.#connection.close(lastWord instanceof RivuletError ? STATUS_BASE + statusOf(lastWord) : GOING_AWAY)
  }

  async #send(answer: AgentAnswer): Promise<void> {
    if (!this.#closed) await this.#connection.send(JSON.stringify(answer))
  }

  #refuse(error: unknown): void {
    if (this.#closed) return
    const told = publicError(error)
    if (told.code === 'INTERNAL') this.#deps.onError(error)
    this.leave()
    this.#connection.close(STATUS_BASE + statusOf(told))
  }
}

/** What a client that comes back has missed, and what runs now. */
export async function reconnected(deps: Deps, place: AgentPlace, command: AgentCommand): Promise<AgentAnswer> {
  const { id, params } = command
  try {
    const run = text(params, 'run_id')
    const known = await deps.store.getRun(place.tenant, place.thread, run)
    if (known === undefined) throw new RivuletError('NOT_FOUND', `there is no run ${run} on this thread`)
    const log = await deps.store.openLog(place.tenant, place.thread)
    const state = await log.snapshot()
    const result = {
      restored: false,
      missed_events: eventsAfter(log, optionalText(params, 'last_event_id')),
      current_namespaces: statusEntries(state),
    }
    return {
      type: 'success',
      id,
      result,
      meta: { thread_id: place.thread, applied_through_seq: frameSeq(state.cursor) },
    }
  } catch (error) {
    return failed(deps, id, error)
  }
}

/** The `seq` of a frame by its id; `undefined` for what is none. */
function seqOf(frameId: string | undefined): number | undefined {
  const match = /\.(\d{1,12})\.(\d{1,3})(?:s|@\d{1,15})?$/.exec(frameId ?? '')
  return match === null ? undefined : frameSeq(Number(match[1]), Number(match[2]))
}

function parse(frame: string): Fields {
  try {
    // `readCommand` looks at what it is.
    return toJson(JSON.parse(frame)) as Fields
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', 'a command is JSON', { cause })
  }
}
