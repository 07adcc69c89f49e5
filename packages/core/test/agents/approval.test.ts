import { describe, expect, test } from 'vitest'
import { Command, createAgent, MemoryCheckpointer, scriptedModel, tool } from '../../src/index.ts'
import { all, ofType } from '../reading.ts'
import { failOnSurprises } from '../watch-process.ts'

failOnSurprises()

const thread = { threadId: 't' }

/** An agent that wants to send two mails, and the mails it sent. */
function mailer() {
  const sent: string[] = []
  const send = tool(({ to }: { to: string }) => (sent.push(to), `sent to ${to}`), {
    name: 'send',
    description: 'sends',
  })
  const asks = { toolCalls: ['ann', 'bob'].map((to) => ({ id: to, name: 'send', args: { to } })) }
  const model = scriptedModel([asks, 'done'])
  const agent = createAgent({ model, tools: [send], interruptOn: ['send'], checkpointer: new MemoryCheckpointer() })
  return { agent, model, sent }
}

describe('an agent whose tools wait for a person', () => {
  test('stops with both questions, and goes on with an answer to each', async () => {
    const { agent, model, sent } = mailer()
    const { __interrupt__: asked = [] } = await agent.invoke({ messages: 'Write them' }, thread)
    expect([sent, asked.length]).toEqual([[], 2])
    const [ann, bob] = asked.map(({ id }) => id)
    const { messages } = await agent.invoke(
      new Command({
        resume: { [ann!]: { type: 'edit', args: { to: 'anna' } }, [bob!]: { type: 'reject', reason: 'not him' } },
      }),
      thread,
    )
    expect(sent).toEqual(['anna'])
    expect(messages.map(({ content }) => content)).toEqual([
      'Write them',
      '',
      'sent to anna',
      'Error: a person rejected this call of tool "send": not him',
      'done',
    ])
    // The model reads the call as it was made.
    expect(model.calls[1]?.messages[1]?.toolCalls?.map(({ args }) => args)).toEqual(['{"to":"anna"}', '{"to":"bob"}'])
  })

  test('streams the questions as an update, and the model is asked once', async () => {
    const { agent, model } = mailer()
    const chunks = await all(agent.stream({ messages: 'Write them' }, thread))
    expect(chunks.flatMap((chunk) => Object.keys(chunk))).toEqual(['model', '__interrupt__', '__interrupt__'])
    expect(model.calls).toHaveLength(1)
  })

  test('asks in a graph above it too, and goes on there', async () => {
    const { agent, sent } = mailer()
    const ask = tool(
      async (_args, ctx) => (await ctx.run(agent, { messages: 'Write them' })).messages.at(-1)?.content,
      {
        name: 'ask',
        description: 'asks the mailer',
      },
    )
    const model = scriptedModel([{ toolCalls: [{ id: 'm', name: 'ask' }] }, 'all done'])
    const above = createAgent({ model, tools: [ask], checkpointer: new MemoryCheckpointer() })
    const events = await all(above.events({ messages: 'Go' }, thread))
    const asked = ofType(events, 'interrupt')
    expect(asked.map(({ ns }) => ns?.[1])).toEqual(['call:m', 'call:m'])
    const resume = Object.fromEntries(asked.map(({ id }) => [id, true]))
    const { messages } = await above.invoke(new Command({ resume }), thread)
    expect(sent).toEqual(['ann', 'bob'])
    expect(messages.slice(2).map(({ content }) => content)).toEqual(['done', 'all done'])
  })
})
