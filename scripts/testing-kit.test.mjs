import { cp, mkdtemp, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join, resolve } from 'node:path'
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

/** What the conformance command is given. */
const MY_TRANSPORT = `
import { inProcess } from '@rivulet/client'
export default (graph) => ({ transport: inProcess(graph) })
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
    for (const name of ['protocol', 'core']) {
      await run('node', [join(root, 'scripts/bundle-for-node.mjs')], join(packages, name))
    }
    const { packageManager } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
    for (const name of ['protocol', 'client', 'testing']) {
      await run('npx', ['-y', packageManager, 'pack', '--pack-destination', folder], join(packages, name))
    }
    // The dependencies from elsewhere, packed from where they are, so that nothing has to be fetched.
    for (const place of ['protocol/node_modules/eventsource-parser', 'testing/node_modules/ws']) {
      const dependency = await realpath(join(packages, place))
      await run('npm', ['pack', dependency, '--ignore-scripts', '--pack-destination', folder], folder)
    }
    const tarballs = (await readdir(folder)).filter((name) => name.endsWith('.tgz'))
    await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
    await writeFile(join(folder, 'first-use.mjs'), FIRST_USE)
    const quietly = ['--offline', '--no-audit', '--no-fund', '--ignore-scripts']
    await run('npm', ['install', ...quietly, ...tarballs.map((name) => `./${name}`)], folder)

    const installed = await readdir(join(folder, 'node_modules'))
    expect(installed.filter((name) => !name.startsWith('.'))).toEqual(['@rivulet', 'eventsource-parser', 'ws'])
    expect(await run('node', ['first-use.mjs'], folder)).toBe("done [ 'hi', 'Hello' ] 2\n11\ntrue\n")

    // The suites vary order with fast-check, a peer that not everybody has.
    const checks = await realpath(join(packages, 'testing/node_modules/fast-check'))
    for (const peer of [checks, await realpath(join(checks, '../pure-rand'))]) {
      await cp(peer, join(folder, 'node_modules', basename(peer)), { recursive: true })
    }
    await writeFile(join(folder, 'my-transport.mjs'), MY_TRANSPORT)
    const told = await run('node_modules/.bin/rivulet-conformance', ['transport', './my-transport.mjs'], folder)
    expect(told).toContain('ok a run streams from its start to its end')
    expect(told).toMatch(/\n\d\d passed, 0 failed\n$/)
    await expect(run('node_modules/.bin/rivulet-conformance', ['teapot'], folder)).rejects.toThrow('server <url>')
  },
)
