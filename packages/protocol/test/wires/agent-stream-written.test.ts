import { expect, test } from 'vitest'
import { emptyState, type RunEvent } from '../../src/index.ts'
import { createAgentStreamEncoder, type AgentStreamFrame } from '../../src/wires/langgraph/index.ts'
import { foldRun } from './shown.ts'

const from = { run: 'r', node: 'talk', task: 't', step: 1 } as const
const place = { namespace: ['talk:t'], node: 'talk' }

/** The frames of a run of these events. */
function framesOf(...events: readonly RunEvent[]): AgentStreamFrame[] {
  const encoder = createAgentStreamEncoder()
  let state = emptyState()
  const start: RunEvent = { type: 'run.start', run: 'r', protocol: 1 }
  return [start, ...events].flatMap((event) => {
    state = foldRun([event], state)
    return encoder.encode(event, state)
  })
}

const on = (method: string, frames: readonly AgentStreamFrame[]) => frames.filter((frame) => frame.method === method)

test('a task is a namespace of its own that begins and ends', () => {
  const frames = framesOf(
    { type: 'task.start', ...from },
    { type: 'task.end', ...from, outcome: 'error', error: { code: 'NODE_FAILED', message: 'ill' } },
  )
  expect(on('lifecycle', frames).slice(1)).toEqual([
    { method: 'lifecycle', params: { namespace: ['talk:t'], data: { event: 'started', graph_name: 'talk' } } },
    {
      method: 'lifecycle',
      params: { namespace: ['talk:t'], data: { event: 'failed', error: 'ill', graph_name: 'talk' } },
    },
  ])
})

test('every block of a message begins, grows and is finished with all it holds', () => {
  const frames = framesOf(
    { type: 'message.start', ...from, id: 'm', role: 'assistant' },
    { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 0, text: 'Let ' },
    { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 4, text: 'me.' },
    {
      type: 'message.delta',
      run: 'r',
      id: 'm',
      part: 1,
      at: 0,
      text: '{"to":',
      kind: 'tool',
      callId: 'c',
      name: 'count',
    },
    { type: 'message.delta', run: 'r', id: 'm', part: 1, at: 6, text: '3}' },
    { type: 'message.end', run: 'r', id: 'm', lengths: [7, 8], finishReason: 'tool_calls', usage: { inputTokens: 3 } },
  )
  const data = (more: object) => ({ method: 'messages', params: { ...place, data: { run_id: 'm', ...more } } })
  expect(on('messages', frames)).toEqual([
    data({ event: 'message-start', id: 'm', role: 'ai' }),
    data({ event: 'content-block-start', index: 0, content: { type: 'text', text: '' } }),
    data({ event: 'content-block-delta', index: 0, delta: { type: 'text-delta', text: 'Let ' } }),
    data({ event: 'content-block-delta', index: 0, delta: { type: 'text-delta', text: 'me.' } }),
    data({
      event: 'content-block-start',
      index: 1,
      content: { type: 'tool_call_chunk', args: '', id: 'c', name: 'count' },
    }),
    // Clients that know of no delta for arguments add up its content.
    data({
      event: 'content-block-delta',
      index: 1,
      delta: { type: 'tool-call-delta', args: '{"to":' },
      content: { type: 'tool_call_chunk', args: '{"to":' },
    }),
    data({
      event: 'content-block-delta',
      index: 1,
      delta: { type: 'tool-call-delta', args: '3}' },
      content: { type: 'tool_call_chunk', args: '3}' },
    }),
    data({ event: 'content-block-finish', index: 0, content: { type: 'text', text: 'Let me.' } }),
    data({
      event: 'content-block-finish',
      index: 1,
      content: { type: 'tool_call', id: 'c', name: 'count', args: { to: 3 } },
    }),
    data({ event: 'message-finish', reason: 'tool_calls', usage: { input_tokens: 3 } }),
  ])
})

test('a message that did not stream is told as if it had, with its calls', () => {
  const toolCalls = [{ id: 'c', name: 'count', args: 'no JSON' }]
  const message = { id: 'm', role: 'assistant', content: 'hi', toolCalls } as const
  const told = on('messages', framesOf({ type: 'message', ...from, message })).map(({ params }) => params.data)
  expect(told).toMatchObject([
    { event: 'message-start' },
    { event: 'content-block-start', content: { type: 'text' } },
    { event: 'content-block-delta', delta: { text: 'hi' } },
    { event: 'content-block-finish', content: { text: 'hi' } },
    { event: 'content-block-start', content: { type: 'tool_call_chunk', id: 'c' } },
    { event: 'content-block-delta', delta: { args: 'no JSON' } },
    { event: 'content-block-finish', content: { type: 'invalid_tool_call', args: 'no JSON' } },
    { event: 'message-finish' },
  ])
})

test('the state is told again behind its checkpoint, for clients that take a checkpoint for what comes next', () => {
  const frames = framesOf(
    { type: 'values', run: 'r', step: 1, set: { n: 1 } },
    { type: 'checkpoint', run: 'r', step: 1, id: 'c1', parent: 'c0', source: 'loop', next: [] },
  )
  expect(frames.slice(1).map(({ method, params }) => [method, params.data])).toEqual([
    ['values', { n: 1 }],
    ['checkpoints', { id: 'c1', parent_id: 'c0', step: 1, source: 'loop' }],
    ['values', { n: 1 }],
  ])
})

test('the state is told again behind the end of a run, which wakes clients that stopped reading there', () => {
  const frames = framesOf(
    { type: 'values', run: 'r', step: 1, set: { n: 1 } },
    { type: 'run.end', run: 'r', status: 'done' },
  )
  expect(frames.slice(2).map(({ method, params }) => [method, params.data])).toEqual([
    ['lifecycle', { event: 'completed' }],
    ['values', { n: 1 }],
  ])
})
