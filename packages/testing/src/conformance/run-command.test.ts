import { inProcess, type Transport } from '@rivulet/client'
import { MemoryCheckpointer } from '@rivulet/core'
import type { StreamableGraph } from '@rivulet/protocol'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test, vi } from 'vitest'
import { runCommand } from './run-command.ts'

async function command(args: readonly string[], made?: unknown) {
  const lines: string[] = []
  const load = (): Promise<{ default?: unknown }> => Promise.resolve({ default: made })
  const code = await runCommand({ args, load, write: (line) => lines.push(line) })
  return { code, lines }
}

test('a suite is run on what a module makes, and passes', async () => {
  const { code, lines } = await command(['checkpointer', './mine.mjs'], () => new MemoryCheckpointer())
  expect(lines.at(-1)).toBe(`${lines.length - 1} passed, 0 failed`)
  expect(lines.length).toBeGreaterThan(4)
  expect(code).toBe(0)
})

test('what fails is named, with what was expected', async () => {
  const forgetful = (graph: StreamableGraph) => {
    const transport = inProcess(graph)
    const open = (...given: Parameters<Transport['open']>) => leaving(transport.open(...given))
    return { transport: { ...transport, open } }
  }
  const { code, lines } = await command(['transport', './mine.mjs'], forgetful)
  expect(lines.find((line) => line.startsWith('not ok a run streams'))).toContain('expected')
  expect(code).toBe(1)
})

async function* leaving<T>(frames: AsyncIterable<T>): AsyncGenerator<T> {
  for await (const frame of frames) {
    yield frame
    return
  }
}

test.each([[[]], [['teapot', 'x']], [['server']], [['store', 'http://localhost:1']]])(
  'what makes no sense is answered with how it is called: %j',
  async (args) => {
    const { code, lines } = await command(args)
    expect(code).toBe(2)
    expect(lines.join()).toContain('rivulet-conformance server <url>')
  },
)

test('a server that runs already is asked for all it claims, and told where it falls short', async () => {
  const asked: unknown[] = []
  const server = createServer((request, response) => {
    asked.push(request.headers.authorization)
    const isKnown = request.url === '/v1/graphs'
    const body = isKnown ? { graphs: [{ name: 'agent' }] } : { error: { code: 'NOT_FOUND', message: 'not here' } }
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => void server.close())
  // It listens on a port of its own.
  const { port } = server.address() as AddressInfo
  const { code, lines } = await command(['server', `http://127.0.0.1:${port}`, '--header', 'authorization: me'])
  expect(lines).toContain('ok names its graphs')
  expect(lines).toContain('ok answers 404 to what is not there')
  expect(lines.some((line) => line.startsWith('not ok streams a run'))).toBe(true)
  expect(new Set(asked)).toEqual(new Set(['me']))
  expect(code).toBe(1)
})

test('a test that hangs has failed', async () => {
  vi.useFakeTimers()
  onTestFinished(() => void vi.useRealTimers())
  const done = command(['checkpointer', './mine.mjs'], () => new Promise(() => {}))
  await vi.advanceTimersByTimeAsync(1_000_000)
  expect((await done).lines[0]).toContain('not over after 30000 ms')
})
