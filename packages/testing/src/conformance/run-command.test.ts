import { inProcess } from '@rivulet/client'
import { MemoryCheckpointer } from '@rivulet/core'
import type { StreamableGraph } from '@rivulet/protocol'
import { expect, onTestFinished, test } from 'vitest'
import { serveScript } from '../node/serve-script.ts'
import { script } from '../script/script.ts'
import { runCommand } from './run-command.ts'

async function command(args: readonly string[], made: unknown = undefined) {
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
    const { open, ...rest } = inProcess(graph)
    return { transport: { ...rest, open: (...given: Parameters<typeof open>) => leaving(open(...given)) } }
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
  const server = await serveScript(script().run().token('Hello').end())
  onTestFinished(() => server.close())
  const args = ['server', server.url, '--graph', 'agent', '--header', 'authorization: me']
  const { code, lines } = await command(args)
  // The kit's server plays a script: it streams as a server does, and keeps no threads.
  expect(lines).toContain('ok streams a run from its start to its end')
  expect(lines.some((line) => line.startsWith('not ok keeps what it is told of threads'))).toBe(true)
  expect(code).toBe(1)
})
