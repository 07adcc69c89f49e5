import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../src/events/event.ts'
import { emptyState, foldAll } from '../../src/index.ts'
import {
  createLangGraphDecoder,
  createLangGraphEncoder,
  type LangGraphEncoderOptions,
} from '../../src/wires/langgraph/index.ts'
import { randomChat } from './random-chat.ts'
import { readClassic as decode } from './read-recording.ts'
import { exchangesIn, streamsIn } from './recordings.ts'
import { foldRun, readStream, shown, stampedFrom, written } from './shown.ts'

/** Decodes blocks given as `[event, data]`. */
function decodeBlocks(...blocks: readonly (readonly [event: string, data: unknown])[]) {
  const decoder = createLangGraphDecoder({ run: 'r' })
  return [...blocks.flatMap(([event, data]) => decoder.push(event, data)), ...decoder.end()]
}

const meta = {
  langgraph_node: 'agent',
  langgraph_step: 1,
  langgraph_checkpoint_ns: 'agent:t1',
  tags: ['graph:step:1', 'loud'],
}

describe('recorded runs', () => {
  test.each(['sse-agent-tools-custom.txt', 'sse-error.txt', 'sse-subgraph-on.txt', 'sse-subgraph-off.txt'])(
    '%s: the state’s messages are folded as the server keeps them',
    (name) => {
      const [run] = streamsIn(name)
      const told = [...run!.body.matchAll(/^event: values\ndata: (.*)$/gm)].map(([, data]) => data!)
      const kept = exchangesIn(name).find(({ request }) => /^GET .*\/state$/.test(request))?.body
      // The server keeps what it told last, wherever it was asked for both.
      const state =
        kept === undefined ? (JSON.parse(told.at(-1)!) as unknown) : (JSON.parse(kept) as { values: unknown }).values
      const { messages } = state as { messages: { id: string; content: string }[] }
      const folded = foldRun(decode(run!.body))
      expect(
        folded.spaces
          .get('')
          ?.lists['messages']?.map((id) => ({ id, content: folded.settled.get(id)?.message.content })),
      ).toEqual(messages.map(({ id, content }) => ({ id, content })))
    },
  )

  test('a question waits for its answer, and the run that answers takes it away', () => {
    const [asking, answering] = streamsIn('sse-interrupt-resume.txt')
    const asked = foldRun(decode(asking!.body))
    expect(shown(asked)).toMatchObject({ status: 'interrupted', interrupts: [{ value: { question: 'Approve?' } }] })
    const decoder = createLangGraphDecoder({ run: 'r2', resume: [...asked.interrupts.keys()] })
    const events: RunEvent[] = []
    readStream(answering!.body, (event, data) => events.push(...decoder.push(event, JSON.parse(data))))
    const answered = foldRun([...events, ...decoder.end()], asked)
    expect(shown(answered)).toMatchObject({
      status: 'done',
      interrupts: [],
      values: { decision: { ok: true } },
      messages: [{ content: 'go' }, { content: 'decision: {"ok":true}' }],
    })
  })

  test('a message carries its node, its step, its task, its tags and its namespace', () => {
    const [run] = streamsIn('sse-subgraph-on.txt')
    const state = foldRun(decode(run!.body))
    expect(state.settled.get('fake-16')?.message.meta).toMatchObject({
      node: 'think',
      step: 1,
      namespace: [expect.stringMatching(/^child:/)],
      usage: { totalTokens: 6 },
    })
  })
})

describe('quirks of the servers', () => {
  test('Python’s chunks are told by their type, whole messages by any other', () => {
    const events = decodeBlocks(
      ['messages', [{ type: 'AIMessageChunk', id: 'a', content: 'Hel' }, meta]],
      ['messages', [{ type: 'AIMessageChunk', id: 'a', content: 'lo' }, meta]],
      ['messages', [{ type: 'tool', id: 'b', content: 'out', tool_call_id: 'c' }, meta]],
    )
    expect(shown(foldRun(events))).toMatchObject({
      messages: [
        { id: 'a', role: 'assistant', content: 'Hello' },
        { id: 'b', role: 'tool', content: 'out', toolCallId: 'c' },
      ],
    })
  })

  test('a state that is a question only does not replace the state', () => {
    const events = decodeBlocks(
      ['values', { topic: 'cats', messages: [{ type: 'human', id: 'h', content: 'hi' }] }],
      ['values', { __interrupt__: [{ id: 'i1', value: 1 }] }],
      ['values', { __interrupt__: [{ id: 'i2', value: 2 }] }],
      ['updates', { __interrupt__: [{ id: 'i1', value: 1 }] }],
    )
    expect(shown(foldRun(events))).toMatchObject({
      values: { topic: 'cats' },
      messages: [{ id: 'h' }],
      interrupts: [{ id: 'i1' }, { id: 'i2' }],
    })
  })

  test('what a state no longer lists was removed; what streams is not', () => {
    const h = { type: 'human', id: 'h', content: 'hi' }
    const a = { type: 'ai', id: 'a', content: 'old' }
    const decoder = createLangGraphDecoder({ run: 'r' })
    const events = [
      ...decoder.push('values', { messages: [h, a] }),
      ...decoder.push('values', { messages: [h] }),
      ...decoder.push('messages', [{ type: 'ai', id: 'b', content: 'new', tool_call_chunks: [] }, meta]),
    ]
    expect(shown(foldRun(events))).toMatchObject({ messages: [{ id: 'h' }, { id: 'b', status: 'streaming' }] })
    expect(events.filter(({ type }) => type === 'message.remove')).toMatchObject([{ id: 'a' }])
  })

  test('a slimmed copy in the state does not take away what was streamed, a changed one replaces it', () => {
    const call = { index: 0, id: 'c', name: 'look', args: '{"a": 1}' }
    const streamed = [
      ['messages', [{ type: 'ai', id: 'a', content: 'text', tool_call_chunks: [call] }, meta]],
      [
        'messages',
        [
          { type: 'ai', id: 'a', content: [{ type: 'reasoning', reasoning: 'why', index: 1 }], tool_call_chunks: [] },
          meta,
        ],
      ],
    ] as const
    const same = decodeBlocks(...streamed, ['values', { messages: [{ type: 'ai', id: 'a', content: 'text' }] }])
    expect(shown(foldRun(same))).toMatchObject({
      messages: [
        {
          content: 'text',
          toolCalls: [{ args: '{"a": 1}' }],
          parts: [{ kind: 'text' }, { kind: 'reasoning', text: 'why' }],
        },
      ],
    })
    const edited = decodeBlocks(...streamed, ['values', { messages: [{ type: 'ai', id: 'a', content: 'edited' }] }])
    expect(shown(foldRun(edited))).toMatchObject({ messages: [{ id: 'a', content: 'edited' }] })
  })

  test('a message that is removed while it streams may begin anew', () => {
    const chunk = (content: string) =>
      ['messages', [{ type: 'ai', id: 'a', content, tool_call_chunks: [] }, meta]] as const
    const events = decodeBlocks(
      chunk('old'),
      ['messages', [{ type: 'remove', id: 'a', content: [] }, {}]],
      chunk('new'),
    )
    expect(shown(foldRun(events))).toMatchObject({ messages: [{ id: 'a', content: 'new' }], status: 'done' })
  })

  test('the same state told again says nothing new', () => {
    const state = { messages: [{ type: 'human', id: 'h', content: 'hi' }] }
    const decoder = createLangGraphDecoder({ run: 'r' })
    decoder.push('values', state)
    expect(decoder.push('values', structuredClone(state)).map(({ type }) => type)).toEqual(['values'])
  })

  test('a surrogate pair that was cut in two arrives whole', () => {
    const [high, low] = ['🌍'.slice(0, 1), '🌍'.slice(1)]
    const chunk = (content: string) =>
      ['messages', [{ type: 'ai', id: 'a', content, tool_call_chunks: [] }, meta]] as const
    const events = decodeBlocks(chunk(`to ${high}`), chunk(`${low}!`))
    const texts = events.flatMap((event) => (event.type === 'message.delta' ? [event.text] : []))
    expect(texts).toEqual(['to ', '🌍!'])
    expect(shown(foldRun(events))).toMatchObject({ messages: [{ content: 'to 🌍!' }] })
  })

  test('an error ends the run with its sentence, also when the server says nothing', () => {
    expect(decodeBlocks(['error', { error: 'TypeError', message: 'boom' }]).at(-1)).toMatchObject({
      status: 'error',
      error: { code: 'NODE_FAILED', message: 'boom' },
    })
    expect(
      decodeBlocks(['tools', { event: 'on_tool_error', toolCallId: 'c', name: 'look', error: {} }])[1],
    ).toMatchObject({
      error: { message: 'the backend does not say what failed' },
    })
  })

  test('what is of an unknown kind is shown to listeners and counted', () => {
    const events = decodeBlocks(['feedback', { key: 'x' }])
    expect(events[1]).toMatchObject({ type: 'feedback', data: { key: 'x' } })
    expect(foldRun(events).ignored).toBe(1)
  })

  test('nothing that may arrive makes it throw or leaves a gap', () => {
    const names = [
      'metadata',
      'values',
      'updates',
      'messages',
      'messages/partial',
      'messages/complete',
      'messages/metadata',
    ]
    const event = fc.constantFrom(...names, 'custom', 'tools', 'tasks', 'checkpoints', 'error', 'values|a:b', 'x')
    const dict = fc.record(
      {
        type: fc.constantFrom<unknown>('ai', 'human', 'tool', 'AIMessageChunk', 'remove', 3),
        id: fc.constantFrom<unknown>('a', 'b', 1),
        content: fc.jsonValue(),
      },
      { requiredKeys: [] },
    )
    const data = fc.oneof(fc.jsonValue(), dict, fc.tuple(dict, fc.jsonValue()), fc.record({ messages: fc.array(dict) }))
    fc.assert(
      fc.property(fc.array(fc.tuple(event, data)), (blocks) => {
        const state = foldAll(emptyState(), stampedFrom(decodeBlocks(...blocks)))
        expect(state.gap).toBeUndefined()
      }),
    )
  })
})

test('what is written and read again shows the same', () => {
  const [first, second] = [randomChat('r', { interrupts: true }), randomChat('r2', { interrupts: true })]
  fc.assert(
    fc.property(fc.tuple(first, second), (runs) => {
      let [ours, theirs] = [emptyState(), emptyState()]
      for (const events of runs) {
        const encoder = createLangGraphEncoder()
        const blocks = events.flatMap((event) => {
          ours = foldRun([event], ours)
          return encoder.encode(event, ours)
        })
        const decoder = createLangGraphDecoder({ run: events[0]!.run })
        const read: RunEvent[] = []
        readStream(written(blocks), (event, data) => read.push(...decoder.push(event, JSON.parse(data))))
        theirs = foldRun([...read, ...decoder.end()], theirs)
        expect(shown(theirs)).toEqual(shown(ours))
      }
    }),
  )
})

describe('written for LangGraph’s own clients', () => {
  const envelope = { run: 'r', node: 'talk', task: 't', step: 1 } as const
  const start: RunEvent = { type: 'run.start', run: 'r', protocol: 1 }

  /** The blocks of a run of these events, of one kind. */
  function blocksOf(kind: string, events: readonly RunEvent[], options: LangGraphEncoderOptions = {}): unknown[] {
    const encoder = createLangGraphEncoder(options)
    let state = emptyState()
    const blocks = [start, ...events].flatMap((event) => {
      state = foldRun([event], state)
      return encoder.encode(event, state)
    })
    return blocks.flatMap(({ event, data }) => (event === kind ? [data] : []))
  }

  const message = (content: string, more: object = {}): RunEvent => ({
    type: 'message',
    ...envelope,
    message: { id: 'm', role: 'assistant', content },
    ...more,
  })
  const told = (events: readonly RunEvent[]) =>
    blocksOf('messages', events).map((tuple) => {
      const [{ type, content }] = tuple as [{ type: string; content: unknown }]
      return type === 'remove' ? type : content
    })

  test('what a caller put in is told by the state alone', () => {
    const input: RunEvent = { type: 'message', run: 'r', step: 0, message: { id: 'h', role: 'user', content: 'hi' } }
    expect(told([input, message('hello')])).toEqual(['hello'])
  })

  test('a message that is told anew is withdrawn first, as readers add to what they have', () => {
    expect(told([message('one'), message('two')])).toEqual(['one', 'remove', 'two'])
    const streamed: RunEvent[] = [
      { type: 'message.start', ...envelope, id: 'm', role: 'assistant' },
      { type: 'message.delta', run: 'r', id: 'm', part: 0, at: 0, text: 'three' },
    ]
    expect(told([message('two'), ...streamed])).toEqual(['two', 'remove', '', 'three'])
  })

  test('an attempt that is withdrawn takes back what it told, and nothing else', () => {
    const other = {
      ...message('mine'),
      task: 'u',
      message: { id: 'o', role: 'assistant', content: 'mine' },
    } as RunEvent
    const rewind: RunEvent = { type: 'rewind', run: 'r', node: 'talk', task: 't', attempt: 1 }
    expect(told([other, message('failed'), rewind])).toEqual(['mine', 'failed', 'remove'])
  })

  test('how far a tool is has a place of its own for those who read tools', () => {
    const progress: RunEvent = { type: 'custom', ...envelope, name: 'progress', data: 1, toolCallId: 'c' }
    expect(blocksOf('tools', [progress])).toEqual([
      { event: 'on_tool_event', toolCallId: 'c', name: 'progress', data: 1 },
    ])
    expect(blocksOf('custom', [progress])).toEqual([])
    expect(blocksOf('custom', [progress], { modes: ['custom'] })).toEqual([1])
  })

  test('messages that nodes return are dicts', () => {
    const update = { messages: [{ role: 'assistant', content: 'hi' }], note: 'x' }
    expect(blocksOf('updates', [{ type: 'updates', ...envelope, update }])).toEqual([
      { talk: { messages: [expect.objectContaining({ type: 'ai', content: 'hi', tool_calls: [] })], note: 'x' } },
    ])
  })
})
