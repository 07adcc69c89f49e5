import { emptyState, foldAll, toolCallsOf } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { createAgent, scriptedModel, tool } from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const echo = tool(({ n }: { n: number }) => `got ${n}`, { name: 'echo', description: 'echoes' })
const call = (n: number, id: string) => ({ id, name: 'echo', args: { n } })

test('calls of later turns with the id of an earlier one get ids of their own, in message, events and answers', async () => {
  const model = scriptedModel([{ toolCalls: [call(1, 'x')] }, { toolCalls: [call(2, 'x'), call(3, 'y')] }, 'done'])
  const events = await all(createAgent({ model, tools: [echo] }).events({ messages: 'go' }))
  const seen = foldAll(
    emptyState(),
    events.map((event, i) => ({ ...event, seq: i + 1 })),
  )
  const calls = toolCallsOf(seen)
  const [first, second, third] = calls.map(({ id }) => id)
  expect([first, third]).toEqual(['x', 'y'])
  expect(second).not.toBe('x')
  expect(calls.map(({ output, status }) => [output, status])).toEqual([
    ['got 1', 'done'],
    ['got 2', 'done'],
    ['got 3', 'done'],
  ])
  expect(ofType(events, 'tool.start').map(({ id }) => id)).toEqual([first, second, third])
  // The model reads each answer under the id of its call.
  const last = model.calls[2]?.messages ?? []
  expect(last.flatMap(({ toolCalls = [] }) => toolCalls.map(({ id }) => id))).toEqual([first, second, third])
  expect(last.flatMap(({ toolCallId, content }) => (toolCallId ? [[toolCallId, content]] : []))).toEqual([
    [first, 'got 1'],
    [second, 'got 2'],
    [third, 'got 3'],
  ])
})

test('calls of one turn with one id, or none, run and are answered each', async () => {
  const model = scriptedModel([{ toolCalls: [call(1, 'x'), call(2, 'x'), call(3, ''), call(4, '')] }, 'done'])
  const { messages } = await createAgent({ model, tools: [echo] }).invoke({ messages: 'go' })
  const ids = messages[1]?.toolCalls?.map(({ id }) => id) ?? []
  expect([new Set(ids).size, ids.includes('')]).toEqual([4, false])
  const answers = messages.slice(2, -1).map(({ toolCallId, content }) => [toolCallId, content])
  expect(answers).toEqual(ids.map((id, i) => [id, `got ${i + 1}`]))
})
