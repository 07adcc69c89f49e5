import type { Message } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { chatMessages } from './chat-messages.ts'

const user: Message = { id: 'u', role: 'user', content: 'hi' }
const asks: Message = {
  id: 'a',
  role: 'assistant',
  content: '',
  toolCalls: [
    { id: 'c1', name: 'calculate', args: '{}' },
    { id: 'c2', name: 'search_docs', args: '{}' },
  ],
}
const answer: Message = { id: 't', role: 'tool', toolCallId: 'c1', content: '1' }

test('a conversation with tools is in the form of the API', () => {
  expect(chatMessages([{ id: 's', role: 'system', content: 'be kind' }, user, asks, answer])).toEqual([
    { role: 'system', content: 'be kind' },
    { role: 'user', content: 'hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'calculate', arguments: '{}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: '1' },
  ])
})

test('a message that only asked for calls nobody answered is left out, and so is an answer nobody asked for', () => {
  expect(chatMessages([user, asks, { ...answer, toolCallId: 'other' }])).toEqual([{ role: 'user', content: 'hi' }])
})

test('the words of a stopped message stay', () => {
  expect(chatMessages([{ ...asks, content: 'Let me' }])).toEqual([{ role: 'assistant', content: 'Let me' }])
})

test('files are named behind the words', () => {
  const parts = [{ kind: 'file' as const, mediaType: 'text/csv', name: 'a.csv' }]
  expect(chatMessages([{ ...user, parts }])).toEqual([{ role: 'user', content: 'hi\n\n[Attached file: a.csv]' }])
  expect(chatMessages([{ ...user, content: '', parts }])).toEqual([{ role: 'user', content: '[Attached file: a.csv]' }])
})
