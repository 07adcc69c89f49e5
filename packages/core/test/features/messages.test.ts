import type { MessageInput } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import {
  messages,
  overwrite,
  removeAllMessages,
  removeMessage,
  START,
  state,
  StateGraph,
  value,
} from '../../src/index.ts'
import type { MessageListUpdate } from '../../src/index.ts'
import { all, allAndError, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const says = (id: string, content: string) => ({ id, role: 'assistant', content }) as const

/** A graph whose node writes `updates` to a message list, one after the other. */
function writing(...updates: MessageListUpdate[]) {
  return new StateGraph(state({ messages: messages() }))
    .addNode('edit', async function* () {
      for (const update of updates) yield { messages: update }
    })
    .addEdge(START, 'edit')
    .compile()
}

const two = [says('1', 'one'), says('2', 'two')]

describe('a message list', () => {
  test('appends messages with new ids, and one alone need not be in a list', async () => {
    const { messages: list } = await writing(says('3', 'three'), [says('4', 'four')]).invoke({ messages: two })
    expect(list).toEqual([...two, says('3', 'three'), says('4', 'four')])
  })

  test('replaces a message with a known id in its place', async () => {
    const { messages: list } = await writing([says('1', 'uno')]).invoke({ messages: two })
    expect(list).toEqual([says('1', 'uno'), says('2', 'two')])
  })

  test('gives messages without an id one, the same in state, chunks and events of a run', async () => {
    const graph = writing([{ role: 'assistant', content: 'a' }, 'from a person'])
    const { messages: list } = await graph.invoke({ messages: [] }, { runId: 'r' })
    expect(list.map(({ role, content }) => [role, content])).toEqual([
      ['assistant', 'a'],
      ['user', 'from a person'],
    ])
    expect(new Set(list.map(({ id }) => id)).size).toBe(2)
    const events = await all(graph.events({ messages: [] }, { runId: 'r' }))
    expect(ofType(events, 'message').map(({ message }) => message.id)).toEqual(list.map(({ id }) => id))
  })

  test('loses the message a removal names; an unknown id removes nothing', async () => {
    const { messages: list } = await writing([removeMessage('1'), removeMessage('nobody')]).invoke({ messages: two })
    expect(list).toEqual([says('2', 'two')])
  })

  test('loses everything before a removal of all, and keeps what follows it', async () => {
    const { messages: list } = await writing([says('3', 'x'), removeAllMessages(), says('4', 'y')]).invoke({
      messages: two,
    })
    expect(list).toEqual([says('4', 'y')])
  })

  test('is replaced as a whole by an overwrite', async () => {
    const { messages: list } = await writing(overwrite([says('9', 'only')])).invoke({ messages: two })
    expect(list).toEqual([says('9', 'only')])
  })

  test('a removed id that comes again goes to the end', async () => {
    const { messages: list } = await writing([removeMessage('1'), says('1', 'again')]).invoke({ messages: two })
    expect(list).toEqual([says('2', 'two'), says('1', 'again')])
  })

  test('takes the messages of LangChain, OpenAI and the AI SDK', async () => {
    const { messages: list } = await writing([
      { type: 'human', content: 'hi', id: 'l' },
      { role: 'tool', content: '42', tool_call_id: 'c1', id: 'o' },
      { role: 'assistant', parts: [{ type: 'text', text: 'yo' }], id: 'v' },
    ]).invoke({ messages: [] })
    expect(list.map(({ id, role, content }) => [id, role, content])).toEqual([
      ['l', 'user', 'hi'],
      ['o', 'tool', '42'],
      ['v', 'assistant', 'yo'],
    ])
  })

  test('takes the removals of LangChain too', async () => {
    const gone = { type: 'remove', id: '__remove_all__' } as const
    const { messages: list } = await writing([gone, says('3', 'z')]).invoke({ messages: two })
    expect(list).toEqual([says('3', 'z')])
  })

  test('refuses what is no message, and says where it came from', async () => {
    const events = await all(writing([{ role: 'assistant', content: 5 }]).events({ messages: [] }))
    const error = { code: 'INVALID_INPUT', node: 'edit', message: expect.stringContaining('content') }
    expect(events.at(-1)).toMatchObject({ status: 'error', error })
  })

  test('takes the writes of parallel nodes in the order of their names', async () => {
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('b', () => ({ messages: [says('b', 'b')] }))
      .addNode('a', async () => {
        await Promise.resolve()
        return { messages: [says('a', 'a')] }
      })
      .addEdge(START, 'b')
      .addEdge(START, 'a')
      .compile()
    expect((await graph.invoke({ messages: [] })).messages.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('cannot be changed by a node that pushes to what it was given', async () => {
    const graph = new StateGraph(state({ messages: messages() }))
      .addNode('push', (s) => {
        expect(() => s.messages.push(says('x', 'x'))).toThrow(TypeError)
        expect(() => Object.assign(s.messages[0] as object, { content: 'changed' })).toThrow(TypeError)
      })
      .addEdge(START, 'push')
      .compile()
    expect((await graph.invoke({ messages: [says('1', 'one')] })).messages).toEqual([says('1', 'one')])
  })
})

describe('events tell of a message list', () => {
  test('what was removed and edited comes before the values that say so', async () => {
    const events = await all(writing([removeMessage('1'), says('2', 'dos')]).events({ messages: two }))
    const told = events.flatMap((event) => {
      if (event.type === 'message') return [['message', event.message.id, event.message.content]]
      if (event.type === 'message.remove') return [['remove', event.id]]
      if (event.type === 'values') return [['values', event.lists]]
      return []
    })
    expect(told).toEqual([
      ['message', '1', 'one'],
      ['message', '2', 'two'],
      ['values', { messages: { ids: ['1', '2'] } }],
      ['message', '2', 'dos'],
      ['remove', '1'],
      ['values', { messages: { ids: ['2'] } }],
    ])
  })

  test('a list that only grew tells the new ids', async () => {
    const values = ofType(await all(writing([says('3', 'three')]).events({ messages: two })), 'values')
    expect(values.map(({ lists }) => lists)).toEqual([
      { messages: { ids: ['1', '2'] } },
      { messages: { append: ['3'] } },
    ])
  })

  test('an edited message and a removal show in the messages mode and in values', async () => {
    const graph = writing([says('2', 'dos'), removeMessage('1')])
    const chunks = await all(graph.stream({ messages: two }, { streamMode: ['messages', 'values'] }))
    const shown = chunks.map(([mode, chunk]) => [mode, mode === 'messages' ? chunk[0].content : chunk.messages])
    expect(shown).toEqual([
      ['values', two],
      ['messages', 'dos'],
      ['values', [says('2', 'dos')]],
    ])
  })
})

test('pushMessage shows a message before the node returns, once, and keeps it only if it is returned', async () => {
  const graph = new StateGraph(state({ messages: messages() }))
    .addNode('push', (_s, ctx) => {
      const id = ctx.pushMessage({ role: 'assistant', content: 'kept' })
      ctx.pushMessage({ id: 'gone', role: 'assistant', content: 'only shown' })
      ctx.writer('after')
      return { messages: [{ id, role: 'assistant', content: 'kept' }] }
    })
    .addEdge(START, 'push')
    .compile()
  const chunks = await all(graph.stream({ messages: [] }, { streamMode: ['messages', 'custom', 'values'] }))
  expect(chunks.map(([mode, chunk]) => (mode === 'messages' ? chunk[0].content : mode))).toEqual([
    'values',
    'kept',
    'only shown',
    'custom',
    'values',
  ])
  const last = chunks.at(-1)
  expect(last?.[0] === 'values' && last[1].messages.map(({ content }) => content)).toEqual(['kept'])
})

/** LangChain's shape, as code without types may pass it on. */
const foreign = JSON.parse('{ "type": "human", "content": "hm" }') as MessageInput

test('a graph without a message list shows text and messages of our shape, and says what it cannot read', async () => {
  const graph = new StateGraph(state({ n: value<number>() }))
    .addNode('say', (_s, ctx) => {
      ctx.pushMessage('hello')
      ctx.pushMessage({ role: 'assistant', content: 'hi' })
      ctx.pushMessage(foreign)
    })
    .addEdge(START, 'say')
    .compile()
  const { items, error } = await allAndError(graph.stream({ n: 1 }, { streamMode: 'messages' }))
  expect(items.map(([{ role, content }]) => [role, content])).toEqual([
    ['user', 'hello'],
    ['assistant', 'hi'],
  ])
  expect(error).toMatchObject({ code: 'INVALID_INPUT', message: expect.stringContaining('messages()') })
})

test('a graph below that has no message list reads messages as the graph above does', async () => {
  const child = new StateGraph(state({ n: value<number>() }))
    .addNode('say', (_s, ctx) => void ctx.pushMessage(foreign))
    .addEdge(START, 'say')
    .compile()
  const graph = new StateGraph(state({ n: value<number>(), messages: messages() }))
    .addNode('child', child)
    .addEdge(START, 'child')
    .compile()
  const chunks = await all(graph.stream({ n: 1 }, { streamMode: 'messages', subgraphs: true }))
  expect(chunks.map(([, [{ role, content }]]) => [role, content])).toEqual([['user', 'hm']])
})
