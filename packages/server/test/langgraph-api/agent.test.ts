import { memoryStore, type AppOptions } from '../../src/index.ts'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { serve } from '../../src/node/index.ts'
import { chatGraph, Gate, wordGraph } from '../graphs.ts'
import { BlockReader, startPeer, type Peer } from './peer.ts'

const hi = { messages: [{ type: 'human', content: 'hi', id: 'h1' }] }
const EVERYTHING = ['values', 'updates', 'messages', 'tools', 'lifecycle', 'input', 'checkpoints', 'tasks', 'custom']

/** A frame as clients read it. */
interface Frame {
  event_id: string
  seq: number
  method: string
  params: { namespace: string[]; node?: string; data: Record<string, unknown> }
}

interface Answer {
  type: string
  id: number
  result: Record<string, unknown>
  error: string
  meta: { thread_id: string; applied_through_seq: number }
}

async function command(peer: Peer, method: string, params: object = {}, thread = 't'): Promise<Answer> {
  return (await peer.json('POST', `/threads/${thread}/commands`, { id: 7, method, params })) as Answer
}

/** Starts a run and waits for its end. */
async function run(peer: Peer, params: object = {}): Promise<Answer> {
  const started = await command(peer, 'run.start', { assistant_id: 'agent', input: hi, ...params })
  await peer.get(`/threads/t/runs/${String(started.result['run_id'])}/join`)
  return started
}

async function streamOf(peer: Peer, filter: object = {}): Promise<BlockReader> {
  const response = await peer.send('POST', '/threads/t/stream/events', { channels: EVERYTHING, ...filter })
  expect(response.status).toBe(200)
  const reader = new BlockReader(response)
  onTestFinished(() => reader.cancel())
  return reader
}

const isTerminal = ({ method, params }: Frame): boolean =>
  method === 'lifecycle' && params.namespace.length === 0 && params.data['event'] !== 'running'

/** Frames up to the end of a run. */
async function framesOf(reader: BlockReader, ends = 1): Promise<Frame[]> {
  let left = ends
  // As the stream writes it.
  const blocks = await reader.until(({ data }) => isTerminal(data as Frame) && --left === 0)
  return blocks.map(({ data }) => data as Frame)
}

const told = (frames: readonly Frame[], method: string) => frames.filter((frame) => frame.method === method)

/** What a client that adds up a message as LangGraph's own does has in the end. */
function textIn(frames: readonly Frame[]): string {
  const seen = new Set<string>()
  let text = ''
  for (const { event_id, params } of told(frames, 'messages')) {
    if (seen.has(event_id)) continue
    seen.add(event_id)
    // As the stream writes it.
    const { event, delta } = params.data as { event: string; delta?: { text: string } }
    if (event === 'content-block-start') text = ''
    text += delta?.text ?? ''
  }
  return text
}

describe('a stream of the agent protocol', () => {
  test('tells a run from its beginning to its end, each frame with its place', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const started = await run(peer)
    expect(started).toMatchObject({ type: 'success', id: 7, result: { run_id: expect.any(String) } })
    expect(started.meta).toEqual({ thread_id: 't', applied_through_seq: 999 })
    const reader = await streamOf(peer)
    const frames = await framesOf(reader)
    expect(frames[0]).toMatchObject({
      method: 'lifecycle',
      params: { namespace: [], data: { event: 'running', graph_name: 'agent' } },
    })
    expect(frames.at(-1)).toMatchObject({ params: { data: { event: 'completed' } } })
    expect(frames.every(({ seq }, i) => i === 0 || seq > frames[i - 1]!.seq)).toBe(true)
    expect(new Set(frames.map(({ event_id }) => event_id)).size).toBe(frames.length)
    const [begun] = told(frames, 'messages')
    expect(begun).toMatchObject({ params: { node: 'talk', data: { event: 'message-start', role: 'ai' } } })
    expect(begun!.params.namespace).toEqual([expect.stringMatching(/^talk:/)])
    const blocks = told(frames, 'messages').map(({ params }) => params.data['event'])
    expect(blocks.slice(-2)).toEqual(['content-block-finish', 'message-finish'])
    expect(told(frames, 'values').at(-1)?.params.data).toMatchObject({
      turns: 1,
      messages: [{ type: 'human' }, { type: 'ai' }],
    })
    expect(told(frames, 'updates')).toMatchObject([{ params: { node: 'talk' } }, { params: { node: 'review' } }])
    expect(told(frames, 'custom')).toMatchObject([{ params: { data: { payload: { done: 1 }, name: 'progress' } } }])
    expect(peer.errors).toEqual([])
  })

  test('gives the checkpoint of a state before that state, for those who take it as that', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const frames = await framesOf(await streamOf(peer, { channels: ['values', 'checkpoints', 'lifecycle'] }))
    const last = frames.findLastIndex(({ method }) => method === 'checkpoints')
    expect(frames[last]?.params.data).toMatchObject({ id: expect.any(String), parent_id: expect.any(String), step: 2 })
    expect(frames[last + 1]?.method).toBe('values')
  })

  test('stays open, and tells the next turn; one that comes later gets the last turn only', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const first = await streamOf(peer)
    await framesOf(first)
    await run(peer, { input: { messages: [{ type: 'human', content: 'again' }] } })
    // What comes behind the end of a run is that run's.
    const [trailing, ...second] = await framesOf(first)
    expect(trailing).toMatchObject({ method: 'values', params: { data: { turns: 1 } } })
    const late = await framesOf(await streamOf(peer))
    expect(late.map(({ event_id }) => event_id)).toEqual(second.map(({ event_id }) => event_id))
  })

  test('gives channels, namespaces and depth that were asked for', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const methods = async (filter: object): Promise<Set<string>> =>
      new Set((await framesOf(await streamOf(peer, filter))).map(({ method }) => method))
    expect(await methods({ channels: ['lifecycle', 'custom:progress'] })).toEqual(new Set(['lifecycle', 'custom']))
    expect(await methods({ channels: ['lifecycle', 'custom:other'] })).toEqual(new Set(['lifecycle']))
    expect(await methods({ namespaces: [[]], depth: 0 })).not.toContain('messages')
    const talk = await streamOf(peer, { namespaces: [['talk']] })
    const { data } = (await talk.next())!
    expect((data as Frame).params.namespace[0]).toMatch(/^talk:/)
  })

  test('goes on behind any frame, within an event too', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const all = await framesOf(await streamOf(peer))
    for (const [i, { seq }] of all.slice(0, -1).entries()) {
      const rest = await framesOf(await streamOf(peer, { since: seq }))
      expect(rest.map(({ event_id }) => event_id)).toEqual(all.slice(i + 1).map(({ event_id }) => event_id))
    }
  })

  test('cut while a message grows and read again after its end begins its block anew, for whoever adds up', async () => {
    const gate = new Gate()
    const peer = startPeer({ graphs: { agent: wordGraph(['one ', 'two ', gate, 'three']) } })
    const started = await command(peer, 'run.start', { assistant_id: 'agent', input: {} })
    const reader = await streamOf(peer)
    const before = await reader.until(({ data }) => JSON.stringify(data).includes('two '))
    await reader.cancel()
    gate.open()
    await peer.get(`/threads/t/runs/${String(started.result['run_id'])}/join`)
    const after = await framesOf(await streamOf(peer))
    const seen = before.map(({ data }) => data as Frame)
    expect(textIn([...seen, ...after])).toBe('one two three')
    // Told a second time, as to every new subscription, it is the same.
    expect(textIn([...seen, ...after, ...(await framesOf(await streamOf(peer)))])).toBe('one two three')
  })

  test('read while a message grows and told again after its end takes nothing away from what was read', async () => {
    const gate = new Gate()
    const peer = startPeer({ graphs: { agent: wordGraph(['one ', gate, 'two ', 'three']) } })
    await command(peer, 'run.start', { assistant_id: 'agent', input: {} })
    const reader = await streamOf(peer)
    const before = await reader.until(({ data }) => JSON.stringify(data).includes('one '))
    gate.open()
    const live = [...before.map(({ data }) => data as Frame), ...(await framesOf(reader))]
    expect(textIn(live)).toBe('one two three')
    expect(textIn([...live, ...(await framesOf(await streamOf(peer)))])).toBe('one two three')
  })

  test('of which the log has forgotten the beginning tells where it stands, and what follows', async () => {
    const gate = new Gate()
    const words = Array.from({ length: 200 }, (_, i) => `w${i} `)
    const store = memoryStore({ log: { maxEvents: 50 } })
    const peer = startPeer({ graphs: { agent: wordGraph([...words, gate, 'end']) }, store })
    await command(peer, 'run.start', { assistant_id: 'agent', input: {} })
    const log = await store.openLog('', 't')
    await vi.waitFor(() => expect(log.head()).toBeGreaterThan(200))
    const reader = await streamOf(peer)
    const begun = await reader.until(({ data }) => JSON.stringify(data).includes('w199'))
    gate.open()
    const frames = [...begun.map(({ data }) => data as Frame), ...(await framesOf(reader))]
    expect(textIn(frames)).toBe(`${words.join('')}end`)
    expect(frames[0]).toMatchObject({ method: 'lifecycle', params: { data: { event: 'running' } } })
  })

  test('begins at once, though there is nothing for its reader', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const served = await serve(peer.app, { port: 0 })
    onTestFinished(() => served.close({ graceMs: 0 }))
    const response = await fetch(`${served.url}/threads/t/stream/events`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ channels: ['custom:nothing'] }),
    })
    expect(response.status).toBe(200)
    await response.body?.cancel()
  })

  test('with a filter that is none is refused', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    for (const filter of [
      { channels: ['nope'] },
      { channels: 3 },
      { channels: [], since: -1 },
      { channels: [], namespaces: [3] },
    ]) {
      const { status } = await peer.send('POST', '/threads/t/stream/events', filter)
      expect([filter, status]).toEqual([filter, 400])
    }
  })
})

describe('commands of the agent protocol', () => {
  test('a question is asked, answered by its id, and part of the turn that asked it', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph({ ask: true }) } })
    await run(peer)
    const asked = await framesOf(await streamOf(peer))
    const [request] = told(asked, 'input.requested')
    expect(request?.params.data).toMatchObject({ payload: { question: 'ok?' } })
    expect(asked.at(-1)?.params.data).toMatchObject({ event: 'interrupted' })
    const interrupt_id = request?.params.data['interrupt_id']
    const wrong = await command(peer, 'input.respond', { interrupt_id: 'nope', response: 1 })
    expect(wrong).toMatchObject({ type: 'error', id: 7, error: 'no_such_run' })
    const answered = await command(peer, 'input.respond', { responses: [{ interrupt_id, response: 'fine' }] })
    expect(answered.type).toBe('success')
    const turn = await framesOf(await streamOf(peer), 2)
    expect(turn.slice(0, asked.length).map(({ event_id }) => event_id)).toEqual(asked.map(({ event_id }) => event_id))
    expect(told(turn, 'values').at(-1)?.params.data).toMatchObject({ note: 'fine' })
    expect(turn.at(-1)?.params.data).toMatchObject({ event: 'completed' })
    expect(await command(peer, 'input.respond', { interrupt_id, response: 1 })).toMatchObject({ error: 'no_such_run' })
  })

  test('an answer may bring an update', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph({ ask: true }) } })
    await run(peer)
    const [request] = told(await framesOf(await streamOf(peer)), 'input.requested')
    const { interrupt_id } = request!.params.data
    await command(peer, 'input.respond', { interrupt_id, response: 'fine', update: { turns: 10 } })
    await framesOf(await streamOf(peer), 2)
    const { result } = await command(peer, 'state.get', { namespace: [], keys: ['turns', 'note'] })
    expect(result['values']).toEqual({ turns: 11, note: 'fine' })
  })

  test('state.get, state.listCheckpoints and state.fork go back to where the thread was', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const { result } = await command(peer, 'state.get', { namespace: [] })
    expect(result).toMatchObject({ values: { turns: 1 }, checkpoint: { id: expect.any(String), ns: '' } })
    const list = await command(peer, 'state.listCheckpoints', { limit: 10 })
    const checkpoints = list.result['checkpoints'] as { id: string; step: number }[]
    expect(checkpoints.map(({ step }) => step)).toEqual([2, 1, 0, -1])
    const page = await command(peer, 'state.listCheckpoints', { limit: 1, before: checkpoints[1]!.id })
    expect(page.result['checkpoints']).toEqual([checkpoints[2]])
    const input = { messages: [{ type: 'human', content: 'bye', id: 'h1' }] }
    const fork = await command(peer, 'state.fork', { checkpoint_id: checkpoints[3]!.id, input })
    expect(fork).toMatchObject({ type: 'success', result: { thread_id: 't' } })
    await peer.get(`/threads/t/runs/${String(fork.result['run_id'])}/join`)
    expect((await command(peer, 'state.get')).result['values']).toMatchObject({
      turns: 1,
      messages: [{ content: 'bye' }, {}],
    })
  })

  test('agent.getTree says what ran, and how it stands', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    await run(peer)
    const { result } = await command(peer, 'agent.getTree')
    expect(result['tree']).toMatchObject({
      namespace: [],
      status: 'completed',
      graph_name: 'agent',
      children: [{ graph_name: 'talk', status: 'completed' }, { graph_name: 'review' }],
    })
  })

  test('subscription.reconnect says what was missed', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const { result } = await run(peer)
    const frames = await framesOf(await streamOf(peer))
    const missed = async (frame: Frame | undefined): Promise<unknown> => {
      const params = { run_id: result['run_id'], ...(frame && { last_event_id: frame.event_id }) }
      return (await command(peer, 'subscription.reconnect', params)).result['missed_events']
    }
    expect(await missed(frames.at(-1))).toBe(0)
    expect(await missed(frames.at(-3))).toBeGreaterThan(0)
    expect(await missed(undefined)).toBeGreaterThan((await missed(frames[3])) as number)
    expect(await command(peer, 'subscription.reconnect', { run_id: 'nope' })).toMatchObject({ error: 'no_such_run' })
  })

  test('what is unknown or wrong is an answer, too', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const error = async (method: string, params?: object): Promise<string> =>
      (await command(peer, method, params)).error
    expect(await error('no.such')).toBe('unknown_command')
    expect(await error('run.start', { input: hi })).toBe('invalid_argument')
    expect(await error('run.start', { assistant_id: 'nobody', input: hi })).toBe('no_such_run')
    expect(await error('state.get')).toBe('no_such_run')
    await run(peer)
    expect(await error('state.fork', { checkpoint_id: 'nope' })).toBe('no_such_run')
    expect(await error('input.respond', {})).toBe('invalid_argument')
    expect(await error('run.start', { assistant_id: 'agent', command: { resume: 1, goto: 'talk' } })).toBe(
      'not_supported',
    )
    expect((await peer.send('POST', '/threads/t/commands', { method: 'x' })).status).toBe(400)
  })

  test('a second run waits for the first, unless it says otherwise', async () => {
    const gate = new Gate()
    const peer = startPeer({ graphs: { agent: chatGraph(), slow: wordGraph(['a', gate]) } })
    await command(peer, 'run.start', { assistant_id: 'slow', input: {} })
    const refused = await command(peer, 'run.start', { assistant_id: 'agent', input: hi, multitaskStrategy: 'reject' })
    expect(refused.type).toBe('error')
    const second = await command(peer, 'run.start', { assistant_id: 'agent', input: hi })
    expect(await peer.json('GET', `/threads/t/runs/${String(second.result['run_id'])}`)).toMatchObject({
      status: 'pending',
    })
    gate.open()
    expect(await peer.json('GET', `/threads/t/runs/${String(second.result['run_id'])}/join`)).toMatchObject({
      turns: 1,
    })
  })
})

describe('a socket of the agent protocol', () => {
  /** A client's end of a socket. */
  class Socket {
    readonly received: (Frame & Answer)[] = []
    closed: number | undefined
    #waiting: (() => void)[] = []
    readonly #session: { receive(frame: string): void; leave(): void }
    #id = 0

    constructor(peer: Peer, path: string, headers: Record<string, string> = {}) {
      const request = new Request(`http://localhost${path}`, { headers })
      peer.app.admitSocket(request)
      this.#session = peer.app.openSocket(request, {
        send: async (text) => {
          this.received.push(JSON.parse(text))
          for (const wake of this.#waiting.splice(0)) wake()
        },
        close: (code) => (this.closed = code),
        terminate: () => (this.closed = 0),
      })
      onTestFinished(() => this.leave())
    }

    send(method: string, params: object = {}): Promise<Answer> {
      const id = ++this.#id
      this.#session.receive(JSON.stringify({ id, method, params }))
      return this.until((one) => one.id === id)
    }

    raw(text: string): void {
      this.#session.receive(text)
    }

    leave(): void {
      this.#session.leave()
    }

    async until(test: (one: Frame & Answer) => boolean): Promise<Frame & Answer> {
      for (;;) {
        const found = this.received.find(test)
        if (found !== undefined) return found
        await new Promise<void>((resolve) => this.#waiting.push(resolve))
      }
    }

    get frames(): Frame[] {
      return this.received.filter(({ type }) => type === 'event')
    }
  }

  const path = '/threads/t/stream/events'
  const peerOf = (options: Partial<AppOptions> = {}): Peer => startPeer({ graphs: { agent: chatGraph() }, ...options })

  test('carries commands, and the frames of all its subscriptions in their order', async () => {
    const peer = peerOf()
    const socket = new Socket(peer, path)
    const one = socket.send('subscription.subscribe', { channels: ['lifecycle', 'input'] })
    const two = socket.send('subscription.subscribe', { channels: ['values', 'messages'], namespaces: [[]], depth: 1 })
    const started = await socket.send('run.start', { assistant_id: 'agent', input: hi })
    expect([(await one).type, (await two).type, started.type]).toEqual(['success', 'success', 'success'])
    await socket.until((frame) => frame.type === 'event' && isTerminal(frame))
    const seqs = socket.frames.map(({ seq }) => seq)
    expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    expect(new Set(socket.frames.map(({ method }) => method))).toEqual(new Set(['lifecycle', 'values', 'messages']))
  })

  test('one that subscribes later is told the turn from its beginning; one that is given up is told nothing more', async () => {
    const peer = peerOf()
    const socket = new Socket(peer, path)
    const first = await socket.send('subscription.subscribe', { channels: ['lifecycle'] })
    await socket.send('run.start', { assistant_id: 'agent', input: hi })
    await socket.until((frame) => frame.type === 'event' && isTerminal(frame))
    const { subscription_id } = first.result
    expect((await socket.send('subscription.unsubscribe', { subscription_id })).type).toBe('success')
    expect(await socket.send('subscription.unsubscribe', { subscription_id })).toMatchObject({
      error: 'no_such_subscription',
    })
    const before = socket.received.length
    await socket.send('subscription.subscribe', { channels: ['values'] })
    await socket.until((frame) => frame.method === 'values' && frame.params.data['turns'] === 1)
    expect(socket.received.slice(before).some(({ method }) => method === 'lifecycle')).toBe(false)
  })

  test('a socket that comes back takes its subscriptions up behind the last frame it had', async () => {
    const peer = peerOf()
    const lost = new Socket(peer, path)
    const { result } = await lost.send('subscription.subscribe', { channels: EVERYTHING })
    const started = await lost.send('run.start', { assistant_id: 'agent', input: hi })
    await lost.until((frame) => frame.type === 'event' && isTerminal(frame))
    lost.leave()
    const middle = Math.floor(lost.frames.length / 2)
    const back = new Socket(peer, path)
    const answer = await back.send('subscription.reconnect', {
      run_id: started.result['run_id'],
      last_event_id: lost.frames[middle]!.event_id,
      subscriptions: [result['subscription_id']],
    })
    expect(answer.result).toMatchObject({ restored: true, missed_events: expect.any(Number) })
    await back.until((frame) => frame.type === 'event' && isTerminal(frame))
    expect(back.frames.map(({ event_id }) => event_id)).toEqual(
      lost.frames.slice(middle + 1).map(({ event_id }) => event_id),
    )
    const forged = { run_id: started.result['run_id'], subscriptions: ['1.x'] }
    expect(await back.send('subscription.reconnect', forged)).toMatchObject({ error: 'invalid_argument' })
  })

  test('what is no command is answered, and the socket goes on', async () => {
    const socket = new Socket(peerOf(), path)
    socket.raw('{')
    socket.raw('[]')
    await socket.until(({ type }) => type === 'error')
    expect(await socket.send('agent.getTree')).toMatchObject({ error: 'no_such_run' })
    expect(socket.closed).toBeUndefined()
  })

  test('a client that sends commands faster than they are carried out is cut off', async () => {
    const socket = new Socket(peerOf(), path)
    for (let i = 0; i < 300; i++) socket.raw('{"id":1,"method":"agent.getTree"}')
    expect(socket.closed).toBe(4429)
  })

  test('a stranger’s socket is closed with what is wrong; other paths are no sockets', async () => {
    const peer = peerOf({ auth: () => undefined })
    const socket = new Socket(peer, path)
    await vi.waitFor(() => expect(socket.closed).toBe(4401))
    expect(() => new Socket(peer, '/threads/t/events')).toThrow('there is no socket')
    expect(() => new Socket(peer, path, { origin: 'https://evil.example' })).toThrow('may not do that')
  })

  test('a thread that is deleted, or a server that closes, ends it', async () => {
    const peer = peerOf()
    const socket = new Socket(peer, path)
    await socket.send('subscription.subscribe', { channels: ['lifecycle'] })
    await socket.send('run.start', { assistant_id: 'agent', input: hi })
    await socket.until((frame) => frame.type === 'event' && isTerminal(frame))
    await peer.send('DELETE', '/threads/t')
    await vi.waitFor(() => expect(socket.closed).toBe(4404))
    const other = new Socket(peer, path)
    await other.send('subscription.subscribe', { channels: ['lifecycle'] })
    await other.send('run.start', { assistant_id: 'agent', input: hi })
    await other.until((frame) => frame.type === 'event' && isTerminal(frame))
    await peer.app.close({ graceMs: 0 })
    await vi.waitFor(() => expect(other.closed).toBe(1001))
  })
})
