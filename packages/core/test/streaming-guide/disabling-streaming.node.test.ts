import { expect, test } from 'vitest'
import { messages, scriptedModel, START, state, StateGraph, type ChatOptions } from '../../src/index.ts'
import { all } from '../reading.ts'

const graphWith = (options: ChatOptions) => {
  const model = scriptedModel(() => 'all at once', options)
  return new StateGraph(state({ messages: messages() }))
    .addNode('callModel', async (now) => ({ messages: [await model.invoke(now.messages)] }))
    .addEdge(START, 'callModel')
    .compile()
}
const chunksWith = async (options: ChatOptions) =>
  (await all(graphWith(options).stream({ messages: 'Hi' }, { streamMode: 'messages' }))).map(([{ content }]) => content)

test.each([{ streaming: false }, { disableStreaming: true }])('%j: the answer comes in one piece', async (options) => {
  expect(await chunksWith(options)).toEqual(['all at once'])
})

test('the tag nostream hides the call; its message is in the state all the same', async () => {
  expect(await chunksWith({ tags: ['nostream'] })).toEqual([])
  const { messages } = await graphWith({ tags: ['nostream'] }).invoke({ messages: 'Hi' })
  expect(messages.at(-1)?.content).toBe('all at once')
})
