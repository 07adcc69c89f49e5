import { createClient } from '@rivulet/client'
import {
  emptyState,
  foldAll,
  messagesOf,
  serializeState,
  toolCallsOf,
  type RivuletEvent,
  type ThreadState,
} from '@rivulet/protocol'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  bisect,
  cutTape,
  faults,
  fuzz,
  memoryTransport,
  pump,
  record,
  redactTape,
  scrub,
  script,
  tapeOf,
  type FaultPlan,
  type Tape,
} from '../src/index.ts'

const chat = script()
  .run('my key is sk-12345')
  .token('I ke')
  .token('ep sk-12')
  .token('345 for you')
  .tool('store', { args: { key: 'sk-12345' }, output: { kept: 'sk-12345' } })
  .custom({ note: 'sk-12345' })
  .values({ secret: 'sk-12345', tries: 2 })
  .token('Done')
  .interrupt({ question: 'Show sk-12345?' })
  .resume(true)
  .token('It is sk-12345')
  .end()

/** A tape of the chat, recorded over a transport with these faults. */
async function recorded(plan: FaultPlan = [], options = {}): Promise<Tape> {
  const p = pump({ t: chat })
  const recorder = record(memoryTransport(p, { faults: plan }), options)
  const thread = createClient({ transport: recorder.transport, timing: p.timing }).thread({ graph: 'g', threadId: 't' })
  thread.follow()
  await p.drain()
  await p.advance(60_000)
  thread.dispose()
  return recorder.tape()
}

const told = ({ cursor, ...state }: ThreadState) => ({ cursor, ...serializeState({ cursor, ...state }) })
const texts = (state: ThreadState) => messagesOf(state).map(({ content }) => content)
const whole = (tape: Tape) => scrub(tape, tape.events.length)

describe('a recording', () => {
  test('holds every event once, over however many connections', async () => {
    const tape = await recorded()
    const broken = await recorded([
      faults.cut({ afterEvent: 7 }),
      faults.cut({ atByte: 900 }, 'rst'),
      faults.drop({ event: 2 }),
    ])
    expect(told(whole(broken))).toEqual(told(whole(tape)))
    expect(broken.events.map(({ seq }) => seq)).toEqual([...new Set(broken.events.map(({ seq }) => seq))])
    expect(texts(whole(tape)).at(-1)).toBe('It is sk-12345')
  })

  test('is JSON, and plays as it was recorded', async () => {
    const tape: Tape = JSON.parse(JSON.stringify(await recorded()))
    const p = pump({ t: tape })
    const again = record(memoryTransport(p))
    const thread = createClient({ transport: again.transport, timing: p.timing }).thread({ graph: 'g', threadId: 't' })
    thread.follow()
    await p.until('interrupt')
    expect(thread.getSnapshot().messages.at(-1)?.content).toBe('Done')
    await p.drain()
    expect(texts(whole(again.tape()))).toEqual(texts(whole(tape)))
    thread.dispose()
  })

  test('that began in the middle begins with what was there', async () => {
    const p = pump({ t: chat })
    await p.drain()
    const recorder = record(memoryTransport(p))
    const thread = createClient({ transport: recorder.transport, timing: p.timing }).thread({
      graph: 'g',
      threadId: 't',
    })
    thread.follow()
    await p.settle()
    const tape = recorder.tape()
    expect(tape.events.map(({ type }) => type)).toEqual(['sync'])
    const played = pump({ t: tape })
    const other = createClient({ transport: memoryTransport(played), timing: played.timing })
    const shown = other.thread({ graph: 'g', threadId: 't' })
    shown.follow()
    await played.drain()
    expect(shown.getSnapshot().messages.map(({ content }) => content)).toEqual(texts(whole(tape)))
    expect(shown.getSnapshot().values).toMatchObject({ secret: 'sk-12345' })
    for (const one of [thread, shown]) one.dispose()
  })

  test('answers the page that starts its run, with the page’s own message', async () => {
    const p = pump({ t: await recorded() })
    const thread = createClient({ transport: memoryTransport(p), timing: p.timing }).thread({
      graph: 'g',
      threadId: 't',
    })
    const run = thread.submit({ messages: { id: 'mine', role: 'user', content: 'hello' } })
    await p.until('interrupt')
    expect(thread.getSnapshot().messages.slice(0, 2)).toMatchObject([
      { id: 'mine', content: 'hello' },
      { content: 'I keep sk-12345 for you' },
    ])
    await p.next()
    await p.next()
    expect((await run.result).status).toBe('interrupted')
    thread.dispose()
  })
})

describe('a redacted tape', () => {
  test('says nothing of what was said, and folds to the same shape', async () => {
    const [open, hidden] = [
      await recorded(),
      await recorded([], { redact: (text: string) => text.replaceAll(/sk-\d+/g, '') }),
    ]
    expect(JSON.stringify(open)).toContain('sk-12345')
    expect(JSON.stringify(hidden)).not.toMatch(/sk-\d|12345|sk-12/)
    expect(whole(hidden).gap).toBeUndefined()
    expect(whole(hidden).ignored).toBe(0)
    expect(texts(whole(hidden)).map(({ length }) => length)).toEqual(texts(whole(open)).map(({ length }) => length))
  })

  test('by default hides every letter', async () => {
    const hidden = redactTape(await recorded())
    expect(texts(whole(hidden))[1]).toBe('x xxxx xx-11111 xxx xxx')
    expect(toolCallsOf(whole(hidden))).toMatchObject([
      { name: 'store', args: '{"xxx":"xx-11111"}', output: { kept: 'xx-11111' } },
    ])
  })

  test('hides what a snapshot holds', async () => {
    const tape = await recorded()
    const state = serializeState(whole(tape))
    const hidden = redactTape(tapeOf([{ type: 'sync', phase: 'snapshot', log: 'l', state, seq: 9 }]))
    expect(JSON.stringify(hidden)).not.toContain('12345')
    expect(texts(whole(hidden))).toHaveLength(texts(whole(tape)).length)
  })
})

test('to scrub to an event equals folding up to it', async () => {
  const tape = await recorded()
  fc.assert(
    fc.property(fc.nat(tape.events.length), (count) => {
      expect(told(scrub(tape, count))).toEqual(told(foldAll(emptyState(), tape.events.slice(0, count))))
      expect(scrub(cutTape(tape, count), tape.events.length)).toEqual(scrub(tape, count))
    }),
    { numRuns: 30 },
  )
})

test('a tape whose events are out of order is refused', () => {
  const start: RivuletEvent = { type: 'run.start', run: 'r', protocol: 1, seq: 2 }
  expect(() => tapeOf([start, { ...start, seq: 2 }])).toThrow('does not come after')
})

describe('the event that breaks an invariant', () => {
  test('is found, also when the invariant holds again later', async () => {
    const tape = await recorded()
    const found = bisect(tape, (state) =>
      [...state.live.values()].every(({ parts }) => !parts.some(({ text }) => text.includes('keep'))),
    )
    expect(found?.event).toMatchObject({ type: 'message.delta', text: 'ep sk-12' })
    expect(found?.index).toBe(tape.events.findIndex(({ seq }) => seq === found?.event.seq))
    expect(bisect(tape, () => true)).toBeUndefined()
  })

  test('and what the invariant threw is told', async () => {
    const found = bisect(await recorded(), (state) => expect(state.interrupts.size).toBe(0))
    expect(found?.event.type).toBe('interrupt')
    expect(String(found?.error)).toContain('expected 1 to be +0')
  })
})

describe('fuzzing', () => {
  test('finds nothing against the fold, whatever is lost, sent twice or out of order', async () => {
    const tape = await recorded()
    const prefixes = new Set(tape.events.map((_event, i) => JSON.stringify(texts(scrub(tape, i + 1)))))
    const isPrefix = (state: ThreadState) => state.cursor === 0 || prefixes.has(JSON.stringify(texts(state)))
    expect(fuzz(tape, isPrefix, { seed: 7 })).toBeUndefined()
  })

  test('finds what only bad deliveries break, and makes it small', async () => {
    const tape = await recorded()
    const isWhole = (state: ThreadState) => state.gap === undefined
    const found = fuzz(tape, isWhole, { seed: 3 })
    expect(found?.run).toBeGreaterThan(0)
    expect(found?.tape.events).toHaveLength(1)
    expect(bisect(found!.tape, isWhole)?.index).toBe(0)
    expect(fuzz(tape, isWhole, { seed: 3 })).toEqual(found)
  })

  test('an invariant that breaks by itself is shrunk to what it needs', async () => {
    const tape = await recorded()
    const found = fuzz(tape, (state) => state.runs.size < 2)
    expect(found).toMatchObject({ run: 0 })
    expect(found?.tape.events.length).toBeGreaterThan(1)
    expect(fuzz(tape, () => {})).toBeUndefined()
  })
})
