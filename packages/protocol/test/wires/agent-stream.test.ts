import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/events/event.ts'
import { emptyState, foldAll } from '../../src/index.ts'
import { createAgentStreamDecoder, createAgentStreamEncoder } from '../../src/wires/langgraph/index.ts'
import { randomChat } from './random-chat.ts'
import { readAgentStream as decode } from './read-recording.ts'
import { framesIn, streamsIn } from './recordings.ts'
import { foldRun, readStream, shown, stampedFrom, written } from './shown.ts'

describe('recorded runs', () => {
  test('calls in parallel, their progress, output and failure', () => {
    const [stream] = streamsIn('proto-sse-agent2-parallel-tools.txt')
    const state = foldRun(decode(stream!.body))
    expect(shown(state)).toMatchObject({
      status: 'done',
      messages: [
        { content: 'weather?' },
        {
          toolCalls: [
            { id: 'call_1', name: 'get_weather', args: '{"city":"SF"}' },
            { id: 'call_2', name: 'count_up', args: '{"n":2}' },
            { id: 'call_3', name: 'boom', args: '{}' },
          ],
        },
        { role: 'tool' },
        { role: 'tool' },
        { role: 'tool' },
        { content: 'It is 64F in SF.' },
      ],
      tools: [
        { id: 'call_1', status: 'done' },
        { id: 'call_2', status: 'done', output: 'done' },
        { id: 'call_3', status: 'error' },
      ],
    })
    expect(state.tools.get('call_3')?.error?.message).toBe('tool failed')
    expect(state.settled.get('fake-4')?.message.meta).toMatchObject({ node: 'agent', finishReason: 'stop' })
  })

  test('a question, its answer, and what came of it', () => {
    const [stream] = streamsIn('proto-sse-interrupt.txt')
    const events = decode(stream!.body)
    const end = events.findIndex(({ type }) => type === 'run.end') + 1
    expect(shown(foldRun(events.slice(0, end)))).toMatchObject({
      status: 'interrupted',
      interrupts: [{ value: { question: 'Approve?' } }],
    })
    expect(shown(foldRun(events))).toMatchObject({ status: 'done', interrupts: [], values: { decision: { ok: true } } })
  })

  test('subgraphs have their own state and their messages their namespace', () => {
    const [stream] = streamsIn('proto-sse-subgraph.txt')
    const state = foldRun(decode(stream!.body))
    expect(state.spaces.size).toBeGreaterThan(1)
    expect([...state.settled.values()].map(({ message }) => message.meta?.namespace?.length ?? 0)).toContain(1)
  })

  test('over a WebSocket: answers to commands are no events', () => {
    expect(shown(foldRun(decode(written(framesIn('proto-ws-chat.txt').map((text) => ({ text }))))))).toMatchObject({
      status: 'done',
      messages: [{ content: 'hi' }, { content: 'Hello there, human friend.' }],
    })
  })
})

test('a run that fails says why, also when that is text in text', () => {
  const frame = (event: string, error?: unknown) => ({
    method: 'lifecycle',
    params: { namespace: [], data: { event, error } },
  })
  const decoder = createAgentStreamDecoder({ run: 'r' })
  const events = [frame('running'), frame('failed', '{"error":"TypeError","message":"boom"}')].flatMap((one) =>
    decoder.push(one),
  )
  expect(shown(foldRun(events))).toMatchObject({ status: 'error', error: 'boom' })
  expect(decoder.isOver).toBe(true)
  expect(decoder.push(frame('running'))).toEqual([])
})

test('a stop is told as an interruption without a question', () => {
  const decoder = createAgentStreamDecoder({ run: 'r' })
  const events = decoder.push({ method: 'lifecycle', params: { namespace: [], data: { event: 'interrupted' } } })
  expect(shown(foldRun(events))).toMatchObject({ status: 'cancelled' })
})

test('what is written and read again shows the same', () => {
  const [first, second] = [randomChat('r', { interrupts: true }), randomChat('r2', { interrupts: true })]
  fc.assert(
    fc.property(fc.tuple(first, second), (runs) => {
      let [ours, theirs] = [emptyState(), emptyState()]
      for (const events of runs) {
        const encoder = createAgentStreamEncoder()
        const frames = events.flatMap((event) => {
          ours = foldRun([event], ours)
          return encoder.encode(event, ours)
        })
        const decoder = createAgentStreamDecoder({ run: events[0]!.run })
        const read: RunEvent[] = []
        readStream(written(frames.map((data) => ({ data }))), (_event, data) =>
          read.push(...decoder.push(JSON.parse(data))),
        )
        theirs = foldRun(read, theirs)
        expect(shown(theirs)).toEqual(shown(ours))
      }
    }),
  )
})

test('nothing that may arrive makes it throw or leaves a gap', () => {
  const any = fc.jsonValue({ maxDepth: 3 })
  const data = fc.record(
    {
      event: fc.constantFrom(
        'message-start',
        'content-block-start',
        'content-block-delta',
        'message-finish',
        'tool-started',
        'running',
        'completed',
      ),
      id: fc.constantFrom<unknown>('a', 'b', 1),
      run_id: any,
      index: any,
      content: any,
      delta: any,
      messages: fc.array(any),
      usage: any,
    },
    { requiredKeys: [] },
  )
  const method = fc.constantFrom(
    'messages',
    'values',
    'updates',
    'tools',
    'lifecycle',
    'tasks',
    'custom',
    'input.requested',
    'x',
  )
  const frame = fc.record({
    method,
    params: fc.record({
      namespace: fc.constantFrom<unknown>([], ['a:b'], 'x', ['a', 3]),
      data: fc.oneof(data, any),
      node: any,
    }),
  })
  fc.assert(
    fc.property(fc.array(fc.oneof(frame, any)), (frames) => {
      const decoder = createAgentStreamDecoder({ run: 'r' })
      const state = foldAll(
        emptyState(),
        stampedFrom([...frames.flatMap((one) => decoder.push(one)), ...decoder.end()]),
      )
      expect(state.gap).toBeUndefined()
      expect(state.runs.get('r')?.status).not.toBe('running')
    }),
  )
})
