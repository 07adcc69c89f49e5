import { mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { run } from './packed/run.mjs'

const root = resolve(import.meta.dirname, '..')
const packages = join(root, 'packages')

/** What a user's first test does, without a test framework. */
const FIRST_USE = `
import { createClient } from '@rivulet/client'
import { faults, memoryTransport, pump, record, script } from '@rivulet/testing'
import { serveScript } from '@rivulet/testing/node'

const p = pump(script().run().token('Hel').token('lo').end())
const recorder = record(memoryTransport(p, { faults: [faults.cut({ afterEvent: 6 }, 'rst')] }))
const thread = createClient({ transport: recorder.transport, timing: p.timing }).thread({ graph: 'agent', threadId: 't' })
const run = thread.submit({ messages: 'hi' })
await p.until('message.delta')
await p.drain()
await p.advance(1000)
const { status } = await run.result
console.log(status, thread.getSnapshot().messages.map(({ content }) => content), p.connections.length)
console.log(recorder.tape().events.length)
const server = await serveScript(script().run('hi').token('over a socket').end())
const answer = await fetch(server.url + '/v1/threads/t/events?until=run1')
console.log((await answer.text()).includes('over a socket'))
await server.close()
`

test(
  'the kit works in an empty project that it is installed into from its tarballs',
  { timeout: 180_000 },
  async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kit-'))
    onTestFinished(() => rm(folder, { recursive: true }))
    for (const name of ['protocol', 'core', 'client', 'testing']) {
      await run(join(root, 'node_modules/.bin/tsc'), ['-p', join(packages, name, 'tsconfig.build.json')], root)
    }
    const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    for (const name of ['protocol', 'client', 'testing']) {
      await run('npx', ['-y', packageManager, 'pack', '--pack-destination', folder], join(packages, name))
    }
    // The one dependency from elsewhere, packed from where it is, so that nothing has to be fetched.
    const parser = await realpath(join(packages, 'protocol/node_modules/eventsource-parser'))
    await run('npm', ['pack', parser, '--ignore-scripts', '--pack-destination', folder], folder)
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await writeFile(join(folder, 'first-use.mjs'), FIRST_USE)
    const quietly = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts']
    await run('npm', ['install', ...quietly, ...tarballs.map((name) => `./${name}`)], folder)

    const installed = await readdir(join(folder, 'node_modules'))
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['@rivulet', 'eventsource-parser'])
    expect(await run('node', ['first-use.mjs'], folder)).toBe("done [ 'hi', 'Hello' ] 2\n11\ntrue\n")
  },
)
