import { RivuletError as ProtocolError } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { RivuletError, START, state, StateGraph, value, type Message, type RunEvent } from '../../src/index.ts'
import { all } from '../reading.ts'

test('a node can be written, and its errors and events read, with what this one package exports', async () => {
  const schema = state({ said: value<Message>() })
  const graph = new StateGraph(schema)
    .addNode('a', () => {
      throw new RivuletError('LIMIT_EXCEEDED', 'too much', { retryable: true })
    })
    .addEdge(START, 'a')
    .compile()
  const events: RunEvent[] = await all(graph.events({}))
  expect(events.at(-1)).toMatchObject({ type: 'run.end', error: { code: 'LIMIT_EXCEEDED', node: 'a' } })
  // One class, whichever package it is read from.
  expect(RivuletError).toBe(ProtocolError)
})
