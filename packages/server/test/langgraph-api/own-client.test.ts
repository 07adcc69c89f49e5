import { createClient, langgraph } from '@rivulet/client'
import { onTestFinished, describe, expect, test } from 'vitest'
import { serve } from '../../src/node/index.ts'
import { chatGraph, Gate, wordGraph } from '../graphs.ts'
import { startPeer, type Peer } from './peer.ts'

async function addressOf(peer: Peer): Promise<string> {
  const served = await serve(peer.app, { port: 0 })
  onTestFinished(() => served.close({ graceMs: 0 }))
  return served.url
}

describe.each(['classic', 'agent-stream'] as const)('the own client over LangGraph’s %s protocol', (protocol) => {
  test('shows what it shows over the own wire, in every turn', async () => {
    const peer = startPeer({ graphs: { agent: chatGraph() } })
    const url = await addressOf(peer)
    const theirs = createClient({ transport: langgraph({ apiUrl: url, protocol }) }).thread({
      graph: 'agent',
      threadId: 't',
    })
    const ours = createClient({ url }).thread({ graph: 'agent', threadId: 'u' })
    for (const question of ['hi', 'and again?']) {
      for (const thread of [theirs, ours]) {
        expect((await thread.submit({ messages: question }).result).status).toBe('done')
      }
      const said = [theirs, ours].map((thread) =>
        thread.getSnapshot().messages.map(({ role, content }) => ({ role, content })),
      )
      expect(said[0]).toEqual(said[1])
      expect(theirs.getSnapshot().values).toMatchObject({ turns: ours.getSnapshot().values['turns'] })
    }
    expect(theirs.getSnapshot().state.ignored).toBe(0)
    expect(peer.errors).toEqual([])
  })

  test('asks, and takes the answer', async () => {
    const url = await addressOf(startPeer({ graphs: { agent: chatGraph({ ask: true }) } }))
    const thread = createClient({ transport: langgraph({ apiUrl: url, protocol }) }).thread({ graph: 'agent' })
    const asked = await thread.submit({ messages: 'hi' }).result
    expect(asked).toMatchObject({ status: 'interrupted', interrupts: [{ value: { question: 'ok?' } }] })
    const answered = await thread.submit(undefined, { resume: 'fine' }).result
    expect(answered).toMatchObject({ status: 'done', values: { note: 'fine' }, interrupts: [] })
  })

  test('joins in the middle, and stops', async () => {
    const url = await addressOf(startPeer({ graphs: { agent: wordGraph(['one ', 'two ', new Gate()]) } }))
    const transport = langgraph({ apiUrl: url, protocol })
    const thread = createClient({ transport }).thread({ graph: 'agent', threadId: 't' })
    const run = thread.submit({})
    const shows = async (one: typeof thread): Promise<void> => {
      await new Promise<void>((resolve) => {
        const look = (): void => {
          if (one.getSnapshot().messages.at(-1)?.content === 'one two ') resolve()
        }
        onTestFinished(one.subscribe(look))
        look()
      })
    }
    await shows(thread)
    const other = createClient({ transport }).thread({ graph: 'agent', threadId: 't' })
    onTestFinished(other.follow())
    await shows(other)
    await run.stop()
    expect((await run.result).status).toBe('cancelled')
    expect(thread.getSnapshot().messages.at(-1)).toMatchObject({ content: 'one two ', status: 'cut' })
  })
})
