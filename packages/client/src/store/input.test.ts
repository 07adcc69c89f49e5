import { expect, test } from 'vitest'
import { prepareInput } from './input.ts'

function prepare(input: unknown, messagesKey = 'messages') {
  let made = 0
  return prepareInput(input, messagesKey, () => `id${++made}`)
}

test('text becomes a user’s message with an id', () => {
  const message = { id: 'id1', role: 'user', content: 'hi' }
  expect(prepare({ messages: 'hi', topic: 'cats' })).toEqual({
    input: { messages: [message], topic: 'cats' },
    shown: [message],
  })
})

test('one message becomes a list of one', () => {
  const { input } = prepare({ messages: { role: 'user', content: 'hi' } })
  expect(input).toEqual({ messages: [{ id: 'id1', role: 'user', content: 'hi' }] })
})

test('a message with an id keeps it', () => {
  const message = { id: 'mine', role: 'user', content: 'hi' }
  expect(prepare({ messages: [message, 'and this'] }).shown).toEqual([
    message,
    { id: 'id1', role: 'user', content: 'and this' },
  ])
})

test('only the user’s own messages are shown at once', () => {
  const { input, shown } = prepare({ messages: [{ role: 'system', content: 'be brief' }, 'hi'] })
  expect(input).toEqual({
    messages: [
      { id: 'id1', role: 'system', content: 'be brief' },
      { id: 'id2', role: 'user', content: 'hi' },
    ],
  })
  expect(shown.map(({ id }) => id)).toEqual(['id2'])
})

test('messages of other shapes get an id and are left to the server', () => {
  class HumanMessage {
    content = 'hi'
    getType() {
      return 'human'
    }
  }
  const instance = new HumanMessage()
  const { input, shown } = prepare({ messages: [{ type: 'human', content: 'hi' }, instance] })
  expect(input).toEqual({ messages: [{ type: 'human', content: 'hi', id: 'id1' }, instance] })
  expect((input as { messages: unknown[] }).messages[1]).toBe(instance)
  expect(shown).toEqual([])
})

test('the list may stand under another key', () => {
  expect(prepare({ chat: 'hi', messages: 'as it is' }, 'chat').input).toEqual({
    chat: [{ id: 'id1', role: 'user', content: 'hi' }],
    messages: 'as it is',
  })
})

test.each([[undefined], [null], ['text'], [[1, 2]], [{ topic: 'cats' }], [{ messages: null }]])(
  'input without messages stays as it is: %j',
  (input) => {
    expect(prepare(input)).toEqual({ input, shown: [] })
  },
)

test('the caller’s input is not written to', () => {
  const input = Object.freeze({ messages: Object.freeze([Object.freeze({ role: 'user', content: 'hi' })]) })
  prepare(input)
  expect(input.messages[0]).not.toHaveProperty('id')
})
