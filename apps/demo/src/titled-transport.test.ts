import type { OpenRequest, ThreadsApi, Transport } from '@rivulet/client'
import type { Frame } from '@rivulet/protocol'
import { expect, test } from 'vitest'
import { titledTransport } from './titled-transport.ts'

function recorder(): { transport: Transport; calls: unknown[] } {
  const calls: unknown[] = []
  const unused = (): never => {
    throw new Error('not used here')
  }
  const threads: ThreadsApi = {
    list: unused,
    get: unused,
    delete: unused,
    create: async (thread) => {
      calls.push(thread)
      return { id: thread.id ?? '', metadata: {}, createdAt: 0, updatedAt: 0, status: 'idle' as const }
    },
  }
  async function* open({ thread }: OpenRequest): AsyncGenerator<Frame> {
    calls.push(`open ${thread}`)
    yield { type: 'at', log: 'l', seq: 1 }
  }
  return { transport: titledTransport({ threads, open }), calls }
}

async function drain(transport: Transport, request: OpenRequest, after?: string): Promise<Frame[]> {
  const frames: Frame[] = []
  for await (const frame of transport.open(request, { signal: new AbortController().signal, after })) frames.push(frame)
  return frames
}

const start = (input: unknown) => ({ run: 'r', graph: 'agent', input })

test('a new thread is made under its title before its first run', async () => {
  const { transport, calls } = recorder()
  const input = { messages: [{ role: 'user', content: ' What is\n2^10? ' }] }
  expect(await drain(transport, { thread: 't', start: start(input) })).toHaveLength(1)
  expect(calls).toEqual([{ id: 't', metadata: { title: 'What is 2^10?' } }, 'open t'])
})

test('a file alone gives its name', async () => {
  const { transport, calls } = recorder()
  await drain(transport, { thread: 't', start: start({ messages: [{ content: '', parts: [{ name: 'a.csv' }] }] }) })
  expect(calls[0]).toEqual({ id: 't', metadata: { title: 'a.csv' } })
})

test('a thread that was deleted meanwhile gets a title anew', async () => {
  const { transport, calls } = recorder()
  await drain(transport, { thread: 't', start: start({ messages: [{ content: 'And then?' }] }) }, 'l.5')
  expect(calls).toEqual([{ id: 't', metadata: { title: 'And then?' } }, 'open t'])
})

test('reading makes nothing', async () => {
  const { transport, calls } = recorder()
  await drain(transport, { thread: 't' })
  await drain(transport, { thread: 't' }, 'l.5')
  expect(calls).toEqual(['open t', 'open t'])
})
