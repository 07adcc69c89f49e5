import type { OpenRequest, StartRequest, Transport } from '@rivulet/client'
import {
  currentRun,
  emptyState,
  foldAll,
  formatCursor,
  messagesOf,
  randomId,
  type RivuletEvent,
  type StreamableGraph,
} from '@rivulet/protocol'
import * as fc from 'fast-check'
import { script, type Script } from '../script/script.ts'
import { scriptGraph } from '../script/script-graph.ts'
import { codeOf, type Harness } from './harness.ts'
import { Reading, shown, told } from './reading.ts'
import { stepGate, type StepGate } from './step-gate.ts'

/** A transport with the backend behind it, made for one test. */
export interface TransportUnderTest {
  readonly transport: Transport
  /** Ends the backend. */
  readonly close?: () => Promise<void> | void
}

/** Makes a backend that serves this graph under every name, or under `agent`, and a transport to it. */
export type MakeTransport = (graph: StreamableGraph) => TransportUnderTest | Promise<TransportUnderTest>

/** A graph's name in these tests. */
const GRAPH = 'agent'

const chat = script()
  .run()
  .reasoning('Hm')
  .token('Héllo,\r\n世界 ')
  .token('🌍\u2028!')
  .tool('search', { args: { q: 'x' }, slices: 3, output: { hits: 3 } })
  .progress({ done: 1 })
  .values({ topic: 'cats' })
  .node('critic')
  .token('Fine.', { tags: ['draft'] })
  .end()

const talk = script().run().token('one ').token('two').end().run().token('three').end()

/** What one test works with. */
interface Bench {
  readonly transport: Transport
  readonly gate: StepGate
  readonly thread: string
  /** How often the graph was run. */
  readonly runs: () => number
  readonly start: (given?: Partial<StartRequest>) => OpenRequest & { start: StartRequest }
}

/**
 * What every transport must do, as tests: `transportConformance((graph) => ({ transport: inProcess(graph) }), { test,
 * expect })`. The backend must keep what happened on a thread, so that a stream can be resumed.
 */
export function transportConformance(makeTransport: MakeTransport, { test, expect }: Harness): void {
  /** A test with a backend that plays this script; held back by the gate unless it is opened. */
  const bench = (name: string, written: Script, run: (bench: Bench) => Promise<void>, isHeld = false) =>
    test(name, async () => {
      const gate = stepGate()
      if (!isHeld) gate.open()
      const graph = scriptGraph(() => written, gate)
      let runs = 0
      const counted: StreamableGraph = {
        events(input, options) {
          runs++
          return graph.events(input, options)
        },
      }
      const { transport, close } = await makeTransport(counted)
      const thread = `t-${randomId(8)}`
      const start = (given: Partial<StartRequest> = {}) => ({
        thread,
        start: {
          run: randomId(),
          graph: GRAPH,
          input: { messages: [{ id: randomId(), role: 'user', content: 'hi' }] },
          ...given,
        },
      })
      try {
        await run({ transport, gate, thread, runs: () => runs, start })
      } finally {
        gate.open()
        await close?.()
      }
    })
  const held = (name: string, written: Script, run: (bench: Bench) => Promise<void>) => bench(name, written, run, true)

  bench('a run streams from its start to its end, and the stream ends with it', chat, async ({ transport, start }) => {
    const { events, state } = await new Reading(transport, start()).all()
    expect(types(events)[0]).toBe('run.start')
    expect(types(events).at(-1)).toBe('run.end')
    expect(state.gap).toBe(undefined)
    expect(state.ignored).toBe(0)
    expect(messagesOf(state).map(({ content }) => content)).toEqual([
      'hi',
      'Héllo,\r\n世界 🌍\u2028!',
      '{"hits":3}',
      'Fine.',
    ])
    expect(shown(state)).toMatchObject({ runs: ['done'], values: { topic: 'cats' } })
  })

  bench('events are numbered without end, each more than the one before', talk, async ({ transport, start }) => {
    const first = await new Reading(transport, start()).all()
    const { events } = await new Reading(transport, start(), { state: first.state }).all()
    const seqs = [...first.events, ...events].flatMap(({ type, seq }) => (type === 'sync' ? [] : [seq]))
    expect(seqs).toEqual([...new Set(seqs)].sort((a, b) => a - b))
  })

  bench('without a cursor a stream begins with a snapshot of what was', chat, async ({ transport, thread, start }) => {
    const { state } = await new Reading(transport, start()).all()
    const later = new Reading(transport, { thread })
    await later.next()
    expect(later.events[0]).toMatchObject({ type: 'sync', phase: 'snapshot' })
    expect(shown(later.state)).toEqual(shown(state))
    await later.leave()
  })

  bench('from every cursor comes what follows it, and the state is the same', chat, async (one) => {
    const { transport, thread, start } = one
    const request = start()
    const first = await new Reading(transport, request).all()
    const { log } = first.state
    const events = first.events.filter(({ type }) => type !== 'sync')
    for (const [count, { seq }] of events.entries()) {
      const known = foldAll(emptyState(), [
        ...first.events.filter(({ type }) => type === 'sync').slice(0, 1),
        ...events.slice(0, count + 1),
      ])
      const rest = { thread, until: request.start.run }
      const { state } = await new Reading(transport, rest, { state: known, after: formatCursor(log, seq) }).all()
      expect(shown(state)).toEqual(shown(first.state))
    }
  })

  bench('a cursor of another log is answered with a snapshot', chat, async ({ transport, thread, start }) => {
    await new Reading(transport, start()).all()
    const reading = new Reading(transport, { thread }, { after: 'another.3' })
    await reading.next()
    expect(reading.events[0]).toMatchObject({ type: 'sync', phase: 'snapshot' })
    await reading.leave()
  })

  bench('the same run started again is the same run', talk, async ({ transport, start, runs }) => {
    const request = start()
    const first = await new Reading(transport, request).all()
    const again = await new Reading(transport, request, { state: first.state }).all()
    expect(runs()).toBe(1)
    expect(shown(again.state)).toEqual(shown(first.state))
  })

  held('a second run while one is under way is refused', talk, async ({ transport, gate, start, runs }) => {
    const first = new Reading(transport, start())
    await gate.until('message.delta')
    await first.until('message.start')
    expect(await codeOf(() => new Reading(transport, start()).all())).toBe('RUN_CONFLICT')
    expect(runs()).toBe(1)
    gate.open()
    await first.all()
    expect(shown(first.state)).toMatchObject({ runs: ['done'] })
  })

  held('what has happened is there before the run is over', talk, async ({ transport, gate, start }) => {
    const reading = new Reading(transport, start())
    await gate.until('message.delta')
    await reading.until('message.delta')
    expect(messagesOf(reading.state).at(-1)).toMatchObject({ content: 'one ', status: 'streaming' })
    gate.open()
    await reading.all()
  })

  held('several readers see the same, and one that leaves stops nothing', talk, async (one) => {
    const { transport, gate, thread, start } = one
    const request = start()
    const first = new Reading(transport, request)
    await gate.until('message.delta')
    await first.until('message.delta')
    const second = new Reading(transport, { thread, until: request.start.run })
    await second.next()
    await first.leave()
    gate.open()
    await second.all()
    expect(messagesOf(second.state).at(-1)).toMatchObject({ content: 'one two', status: 'done' })
    expect(currentRun(second.state)?.status).toBe('done')
  })

  held('a stream ends as soon as its signal aborts', talk, async ({ transport, gate, start }) => {
    const reading = new Reading(transport, start())
    await gate.until('run.start')
    await reading.next()
    const left = reading.leave()
    await left
    expect(currentRun(reading.state)?.status === 'done').toBe(false)
  })

  bench('a stream of a run that is long over ends at once', talk, async ({ transport, thread, start }) => {
    const request = start()
    await new Reading(transport, request).all()
    const { state } = await new Reading(transport, { thread, until: request.start.run }).all()
    expect(shown(state)).toMatchObject({ runs: ['done'] })
  })

  held('cancel ends the run, and what was said stays', talk, async ({ transport, gate, thread, start }) => {
    if (transport.cancel === undefined) return
    const request = start()
    const reading = new Reading(transport, request)
    await gate.until('message.delta')
    await reading.until('message.delta')
    await transport.cancel(thread, request.start.run, {})
    await reading.all()
    expect(shown(reading.state)).toMatchObject({ runs: ['cancelled'] })
    expect(messagesOf(reading.state).at(-1)).toMatchObject({ content: 'one ', status: 'cut' })
  })

  bench('a run that never was cannot be cancelled', talk, async ({ transport, thread, start }) => {
    if (transport.cancel === undefined) return
    await new Reading(transport, start()).all()
    expect(await codeOf(() => transport.cancel?.(thread, 'nobody', {}))).toBe('NOT_FOUND')
  })

  const asking = script().run().token('Ready.').interrupt({ question: 'Send?' }).resume().token('Sent.').end()
  bench('a question reaches the reader, and its answer the graph', asking, async ({ transport, start }) => {
    const first = await new Reading(transport, start()).all()
    expect(shown(first.state)).toMatchObject({ runs: ['interrupted'], interrupts: [{ question: 'Send?' }] })
    const answer = start({ input: undefined, resume: 'yes' })
    const { state } = await new Reading(transport, answer, { state: first.state }).all()
    expect(shown(state)).toMatchObject({ runs: ['interrupted', 'done'], interrupts: [] })
    expect(messagesOf(state).at(-1)).toMatchObject({ content: 'Sent.' })
  })

  const failing = script()
    .run()
    .token('Hel')
    .end({ status: 'error', error: { code: 'NODE_FAILED', message: 'no luck' } })
  bench('a run that fails says so in its end, and the stream is whole', failing, async ({ transport, start }) => {
    const { state } = await new Reading(transport, start()).all()
    expect(currentRun(state)).toMatchObject({ status: 'error', error: { code: 'NODE_FAILED' } })
    expect(messagesOf(state).at(-1)).toMatchObject({ content: 'Hel', status: 'cut' })
  })

  bench('a reader may read part of a thread', chat, async ({ transport, thread, start }) => {
    const request = start()
    const whole = await new Reading(transport, request).all()
    const after = formatCursor(whole.state.log, 1)
    const read = async (filter: OpenRequest['filter']) => {
      const { events } = await new Reading(transport, { thread, until: request.start.run, filter }, { after }).all()
      return events.flatMap((event) => (event.type === 'message.start' ? [event.node] : []))
    }
    expect(await read({})).toEqual(['agent', 'critic'])
    expect(await read({ nodes: ['critic'] })).toEqual(['critic'])
    expect(await read({ tags: ['draft'] })).toEqual(['critic'])
  })

  const long = script().run().token('x'.repeat(200_000)).token('🌍'.repeat(10_000)).end()
  bench('long texts arrive as they were', long, async ({ transport, start }) => {
    const { state } = await new Reading(transport, start()).all()
    expect(messagesOf(state).at(-1)?.content.length).toBe(220_000)
    expect(state.gap).toBe(undefined)
  })

  bench('threads are listed, found and forgotten', talk, async ({ transport, thread, start }) => {
    const { threads } = transport
    if (threads === undefined) return
    await new Reading(transport, start()).all()
    expect((await threads.list()).threads.map(({ id }) => id).includes(thread)).toBe(true)
    expect(await threads.get(thread)).toMatchObject({ id: thread, status: 'idle' })
    await threads.delete(thread)
    expect(await codeOf(() => threads.get(thread))).toBe('NOT_FOUND')
    const made = await threads.create({ metadata: { title: 'mine' } })
    expect(await threads.get(made.id)).toMatchObject({ metadata: { title: 'mine' } })
  })

  bench('however often a reader leaves and comes back, it comes to the same state', chat, async (one) => {
    const { transport, thread, start } = one
    const request = start()
    const whole = await new Reading(transport, request).all()
    const rest = { thread, until: request.start.run }
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(6), { maxLength: 6 }), async (counts) => {
        let state = emptyState()
        for (const count of counts) {
          const reading = new Reading(transport, rest, { state })
          for (let i = 0; i < count && (await reading.next()); i++);
          await reading.leave()
          ;({ state } = reading)
        }
        const last = await new Reading(transport, rest, { state }).all()
        expect(shown(last.state)).toEqual(shown(whole.state))
      }),
      { numRuns: 25 },
    )
  })

  held(
    'a run that is watched over many connections is seen whole',
    chat,
    async ({ transport, gate, thread, start }) => {
      const request = start()
      let reading = new Reading(transport, request)
      for (const type of ['message.start', 'message.delta', 'tool.start', 'custom'] as const) {
        await gate.until(type)
        await reading.until(type)
        await reading.leave()
        reading = new Reading(transport, { thread, until: request.start.run }, { state: reading.state })
      }
      gate.open()
      await reading.all()
      const alone = await new Reading(transport, { thread, until: request.start.run }).all()
      expect(shown(reading.state)).toEqual(shown(alone.state))
      expect(told(reading.state)).toMatchObject({ gap: undefined })
    },
  )
}

function types(events: readonly RivuletEvent[]): string[] {
  return events.flatMap(({ type }) => (type === 'sync' ? [] : [type]))
}
