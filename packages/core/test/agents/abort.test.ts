import { emptyState, foldAll, RivuletError, type Message, type RunEvent } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { createAgent, MemoryCheckpointer, scriptedModel, tool } from '../../src/index.ts'
import { settle } from '../gate.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

/** Throws as providers do when a call of the history has no answer right behind it. */
function refuseDangling(history: readonly Message[]): void {
  let open = new Set<string>()
  for (const { toolCallId, toolCalls } of [...history, { toolCallId: undefined, toolCalls: undefined }]) {
    if (toolCallId !== undefined) open.delete(toolCallId)
    else if (open.size > 0) throw new RivuletError('PROVIDER_FAILED', `no answer to ${[...open].join(', ')}`)
    else open = new Set(toolCalls?.map(({ id }) => id))
  }
}

/** An agent with a tool that waits, a generator, one that fails, and another agent; and what it has running. */
function build() {
  const inner = createAgent({ model: scriptedModel(() => 'from below') })
  const tools = [
    tool(
      async (_args, ctx) => {
        await Promise.resolve()
        ctx.progress(1)
        await Promise.resolve()
        return 'waited'
      },
      { name: 'wait', description: 'waits' },
    ),
    tool(
      async function* () {
        yield await Promise.resolve(1)
        yield 2
        return 'yielded'
      },
      { name: 'steps', description: 'yields' },
    ),
    tool(() => Promise.reject(new Error('broken')), { name: 'fail', description: 'fails' }),
    tool(async (_args, ctx) => (await ctx.run(inner, { messages: 'hi' })).messages.at(-1)?.content, {
      name: 'ask',
      description: 'asks another agent',
    }),
  ]
  const model = scriptedModel((history) => {
    refuseDangling(history)
    if (history.at(-1)?.role === 'tool') return 'read them'
    if (history.at(-1)?.content === 'and now?') return 'fine'
    return { text: 'Let me see', toolCalls: tools.map(({ name }) => ({ id: name, name })), slice: 4 }
  })
  return createAgent({ model, tools, checkpointer: new MemoryCheckpointer() })
}

const thread = { threadId: 't' }

/** The events of a run that is stopped once it has told `count` of them. */
async function stoppedAfter(count: number) {
  const agent = build()
  const stop = new AbortController()
  const events: RunEvent[] = []
  for await (const event of agent.events({ messages: 'go' }, { ...thread, signal: stop.signal })) {
    events.push(event)
    if (events.length === count) stop.abort()
  }
  await settle()
  return { agent, events }
}

describe('an agent that is stopped', async () => {
  const whole = await all(build().events({ messages: 'go' }, thread))

  test.each(Array.from({ length: whole.length }, (_, i) => i + 1))(
    'after event %d ends what had begun, and can be asked again',
    async (count) => {
      const { agent, events } = await stoppedAfter(count)
      const ids = (type: 'tool.start' | 'tool.end') =>
        ofType(events, type)
          .map(({ id }) => id)
          .sort()
      expect(ids('tool.end')).toEqual(ids('tool.start'))
      expect(new Set(ids('tool.start')).size).toBe(ids('tool.start').length)
      const seen = foldAll(
        emptyState(),
        events.map((event, i) => ({ ...event, seq: i + 1 })),
      )
      expect(seen.ignored).toBe(0)
      expect([...seen.tools.values()].map(({ status }) => status)).not.toContain('running')
      const { messages } = await agent.invoke({ messages: 'and now?' }, thread)
      expect(messages.at(-1)?.content).toBe('fine')
    },
  )

  test.each(Array.from({ length: whole.length - 2 }, (_, i) => i + 2))(
    'after event %d goes on from where it stood',
    async (count) => {
      const { agent } = await stoppedAfter(count)
      const { next = [] } = (await agent.getState('t')) ?? {}
      const { messages } =
        next.length > 0 ? await agent.invoke(null, thread) : await agent.invoke({ messages: 'go' }, thread)
      expect(messages.at(-1)?.content).toBe('read them')
    },
  )
})
