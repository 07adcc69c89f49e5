import type { Message } from '@rivulet/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  messages,
  scriptedModel,
  START,
  state,
  StateGraph,
  type ScriptedAnswer,
  type ScriptedModel,
} from '../../src/index.ts'
import { manualClock } from '../manual-clock.ts'
import { settle } from '../gate.ts'
import { all, allAndError, ofType, rejection } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const chunks = (answer: ScriptedAnswer | string) => all(scriptedModel([answer]).stream('hi'))

describe('a scripted model', () => {
  test('says turn after turn, word by word', async () => {
    const model = scriptedModel(['One fine  day ', 'Two'])
    expect((await all(model.stream('a'))).map(({ content }) => content)).toEqual(['One', ' fine', '  day '])
    expect(await model.invoke('b')).toMatchObject({ role: 'assistant', content: 'Two' })
  })

  test('fails with a sentence when it is called more often than it has turns', async () => {
    const model = scriptedModel(['only'], { name: 'brief' })
    await model.invoke('a')
    expect(await rejection(model.invoke('b'))).toMatchObject({
      code: 'INVALID_INPUT',
      message: 'model "brief" was called 2 times, its script has 1 turns',
    })
    expect(model.calls.map(({ status }) => status)).toEqual(['done', 'failed'])
  })

  test('of a single turn answers every call with it', async () => {
    const model = scriptedModel((list) => `You said ${list.at(-1)?.content}`)
    expect((await model.invoke('a')).content).toBe('You said a')
    expect((await model.invoke('b')).content).toBe('You said b')
  })

  test('says reasoning, text, calls, parts and usage in this order, with the id first', async () => {
    const image = { kind: 'image', mediaType: 'image/png', url: 'https://example.test/x.png' } as const
    const answer: ScriptedAnswer = {
      id: 'p1',
      reasoning: 'let me see',
      text: ['Hel', 'lo'],
      toolCalls: [
        { name: 'look', args: { q: 1 } },
        { id: 'b', name: 'find', argsText: ['{"x', '":2}'] },
      ],
      parts: [image],
      usage: { outputTokens: 3 },
      finishReason: 'stop',
    }
    expect(await chunks(answer)).toEqual([
      { id: 'p1', reasoning: 'let' },
      { reasoning: ' me' },
      { reasoning: ' see' },
      { content: 'Hel' },
      { content: 'lo' },
      { toolCallChunks: [{ index: 0, id: 'call_0_0', name: 'look' }] },
      { toolCallChunks: [{ index: 0, args: '{"q":1}' }] },
      { toolCallChunks: [{ index: 1, id: 'b', name: 'find' }] },
      { toolCallChunks: [{ index: 1, args: '{"x' }] },
      { toolCallChunks: [{ index: 1, args: '":2}' }] },
      { parts: [image] },
      { usage: { outputTokens: 3 }, finishReason: 'stop' },
    ])
  })

  test('lets the pieces of several calls take turns', async () => {
    const toolCalls = [
      { id: 'a', name: 'look', argsText: ['1', '2', '3'] },
      { id: 'b', name: 'find', argsText: ['x'] },
    ]
    const said = (await chunks({ toolCalls, interleave: true })).flatMap(({ toolCallChunks = [] }) => toolCallChunks)
    expect(said.map(({ index, args = 'name' }) => `${index}:${args}`)).toEqual([
      '0:name',
      '1:name',
      '0:1',
      '1:x',
      '0:2',
      '0:3',
    ])
  })

  test('says given chunks as they are', async () => {
    const given = [{ usage: { inputTokens: 1 } }, 'text', { content: '', finishReason: 'x' }]
    expect(await chunks({ id: 'unused', chunks: given })).toEqual([given[0], { content: 'text' }, given[2]])
  })

  test('adds up to the same message however it is cut', async () => {
    const text = 'Grüße 😀 und  mehr'
    const args = { city: 'Zürich 😀', n: [1, 2] }
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 1, max: 9 }), fc.boolean(), async (slice, interleave) => {
        const calls = [
          { name: 'look', args },
          { name: 'find', argsText: 'no json' },
        ]
        const answer = { reasoning: text, text, toolCalls: calls, slice, interleave }
        const message = await scriptedModel([answer]).invoke('hi')
        expect(message).toMatchObject({ content: text, parts: [{ text }, { text }] })
        expect(message.toolCalls?.map((call) => call.args)).toEqual([JSON.stringify(args), 'no json'])
      }),
    )
  })

  test('remembers what it was asked, whatever options it was given on the way', async () => {
    const model = scriptedModel(['one', 'two'], { tags: ['base'] })
    await model.invoke([{ role: 'system', content: 's' }, 'q'])
    await model
      .with({ tags: ['more'] })
      .with({ metadata: { m: 1 } })
      .invoke('r')
    const asked = model.calls.map(({ messages: list, options }) => [
      list.map((message: Message) => message.content),
      options.tags,
      options.metadata,
    ])
    expect(asked).toEqual([
      [['s', 'q'], ['base'], {}],
      [['r'], ['base', 'more'], { m: 1 }],
    ])
  })
})

describe('time', () => {
  test('passes between chunks on the clock that was given', async () => {
    const clock = manualClock()
    const model = scriptedModel(['a b c'], { clock, delayMs: 100 })
    const answer = model.invoke('hi')
    await clock.advance(250)
    expect(model.calls[0]).toMatchObject({ said: 2, status: 'running' })
    await clock.advance(50)
    expect((await answer).content).toBe('a b c')
    expect(model.calls[0]).toMatchObject({ said: 3, status: 'done' })
    expect(clock.delays).toEqual([])
  })

  test('stands still when the answer stalls, until the signal fires', async () => {
    const stop = new AbortController()
    const model = scriptedModel([{ text: 'a b c', stallAfter: 2 }])
    const reading = allAndError(model.stream('hi', { signal: stop.signal }))
    await settle()
    expect(model.calls[0]).toMatchObject({ said: 2, status: 'running' })
    stop.abort(new Error('enough'))
    expect(await reading).toMatchObject({ items: [{ content: 'a' }, { content: ' b' }], error: new Error('enough') })
    expect(model.calls[0]?.status).toBe('aborted')
  })
})

describe('an end before the end', () => {
  test('comes with an error after so many chunks', async () => {
    const error = new Error('provider down')
    for (const failAfter of [0, 1, 2, 9]) {
      const model = scriptedModel([{ text: 'a b', failAfter, error }])
      const { items, error: thrown } = await allAndError(model.stream('hi'))
      expect(items).toHaveLength(Math.min(failAfter, 2))
      expect(thrown).toBe(error)
      expect(model.calls[0]).toMatchObject({ said: Math.min(failAfter, 2), status: 'failed' })
    }
  })

  test('is a retryable failure of a provider where no error is given', async () => {
    const failing = scriptedModel([{ failAfter: 0 }])
    expect(await rejection(failing.invoke('hi'))).toMatchObject({ code: 'PROVIDER_FAILED', retryable: true })
  })

  test('comes with an abort before the first chunk, between two, and while the reader is busy', async () => {
    for (const after of [0, 1, 2]) {
      const stop = new AbortController()
      const model = scriptedModel(['a b c'])
      if (after === 0) stop.abort(new Error('stopped'))
      let seen = 0
      const reading = async () => {
        for await (const _ of model.stream('hi', { signal: stop.signal })) {
          if (++seen !== after) continue
          stop.abort(new Error('stopped'))
          expect(model.calls[0]?.status).toBe('aborted')
        }
      }
      expect(await rejection(reading())).toEqual(new Error('stopped'))
      expect([seen, model.calls[0]?.said]).toEqual([after, after])
      expect(model.calls[0]?.status).toBe('aborted')
    }
  })

  test('comes when its reader goes away', async () => {
    const model = scriptedModel(['a b c'])
    for await (const _ of model.stream('hi')) break
    expect(model.calls[0]).toMatchObject({ said: 1, status: 'left' })
  })
})

describe('in a graph', () => {
  const graphOf = (model: ScriptedModel) =>
    new StateGraph(state({ messages: messages() }))
      .addNode('talk', async (s, ctx) => ({ messages: await model.invoke(s.messages, { ctx }) }))
      .addEdge(START, 'talk')
      .compile()

  test('it streams as any model does, and sees the conversation', async () => {
    const model = scriptedModel(['Hello there'])
    const events = await all(graphOf(model).events({ messages: ['hi'] }))
    expect(ofType(events, 'message.delta').map(({ text }) => text)).toEqual(['Hello', ' there'])
    expect(model.calls[0]?.messages.map(({ content }) => content)).toEqual(['hi'])
  })

  test('it sees that its run was stopped', async () => {
    const stop = new AbortController()
    const model = scriptedModel([{ text: 'a b c', stallAfter: 1 }])
    const reading = all(graphOf(model).events({ messages: ['hi'] }, { signal: stop.signal }))
    await settle()
    stop.abort()
    await reading
    expect(model.calls[0]).toMatchObject({ said: 1, status: 'aborted' })
  })
})
