import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { afterEach, expect, onTestFinished, test } from 'vitest'
import { faults, pump, script, type Pump } from '../src/index.ts'
import { chaosProxy, serveScript, type ChaosProxy, type ChaosProxyOptions } from '../src/node/index.ts'

const open: { close(): Promise<void> }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

const BODY = 'x'.repeat(5_000)

/** A proxy before a server that answers every request with the same body, in one piece. */
async function proxied(plan: ChaosProxyOptions['faults'], timing?: Pump['timing']): Promise<ChaosProxy> {
  const server = await listening(createServer((_request, response) => response.end(BODY)))
  const proxy = await chaosProxy({ port: server, faults: plan, ...(timing && { timing }) })
  open.push(proxy)
  return proxy
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  open.push({ close: () => new Promise((resolve) => server.close(() => resolve())) })
  server.keepAliveTimeout = 1
  return (server.address() as AddressInfo).port
}

/** What comes back over a bare socket, and how that ends. */
function rawAnswer(url: string): Promise<{ bytes: Buffer; pieces: number; end: string }> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1')
    const pieces: Buffer[] = []
    let end = 'fin'
    socket.on('data', (piece) => pieces.push(piece))
    socket.on('error', (error: NodeJS.ErrnoException) => (end = error.code ?? 'error'))
    socket.on('close', () => resolve({ bytes: Buffer.concat(pieces), pieces: pieces.length, end }))
    socket.write('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  })
}

test('without faults a proxy is not there', async () => {
  const { url } = await proxied([])
  expect(await (await fetch(url)).text()).toBe(BODY)
})

test('a connection is closed or reset behind a byte', async () => {
  const { url } = await proxied([
    faults.cut({ atByte: 100 }),
    faults.cut({ atByte: 100 }, 'rst'),
    faults.cut({ atByte: 0 }, 'rst'),
  ])
  const closed = await rawAnswer(url)
  expect([closed.bytes.length, closed.end]).toEqual([100, 'fin'])
  // Node tells a reset that comes with the last bytes as an end; without bytes it cannot.
  expect((await rawAnswer(url)).bytes.length).toBe(100)
  expect((await rawAnswer(url)).end).toBe('ECONNRESET')
  expect((await rawAnswer(url)).bytes.toString()).toContain(BODY)
})

test('bytes are split and held back, and arrive as they were', async () => {
  const { url } = await proxied([faults.split(5), faults.buffer(1_000_000)])
  const [split, held] = [await rawAnswer(url), await rawAnswer(url)]
  expect(split.bytes.toString()).toContain(BODY)
  expect(held.bytes.toString()).toContain(BODY)
})

test('a delay waits for the clock it is given', async () => {
  const p = pump(script())
  const { url } = await proxied([faults.delay(1_000)], p.timing)
  const answer = rawAnswer(url)
  // The other connection's answer has come; this one's is held back by the clock alone.
  await (await fetch(url)).text()
  let told: Awaited<typeof answer> | undefined
  for (let second = 0; told === undefined; second++) {
    expect(second).toBeLessThan(1_000)
    told = await Promise.race([answer, p.advance(1_000).then(() => undefined)])
  }
  expect(p.timing.now()).toBeGreaterThanOrEqual(1_000)
  expect(told.bytes.toString()).toContain(BODY)
})

test('a stalled connection stays open and silent until its client leaves', async () => {
  let isLeft: () => void = () => {}
  const left = new Promise<void>((resolve) => (isLeft = resolve))
  const server = createServer((_request, response) => {
    response.write(BODY)
    response.on('close', isLeft)
  })
  const proxy = await chaosProxy({ port: await listening(server), faults: [faults.cut({ atByte: 300 }, 'stall')] })
  open.push(proxy)
  const stop = new AbortController()
  const response = await fetch(proxy.url, { signal: stop.signal })
  const reader = response.body!.getReader()
  expect((await reader.read()).done).toBe(false)
  const next = reader.read().then(
    () => 'came',
    () => 'aborted',
  )
  stop.abort()
  expect(await next).toBe('aborted')
  await left
})

test('the kit’s own server resets and stalls real sockets, and answers other origins', async () => {
  const chat = script().run('hi').token('Hel').end()
  const server = await serveScript(chat, { faults: [faults.cut({ afterEvent: 2 }, 'rst'), faults.status(503)] })
  onTestFinished(() => server.close())
  const read = async () => (await fetch(`${server.url}/v1/threads/t/events?until=run1`)).text()
  await expect(read()).rejects.toThrow('terminated')
  expect(await read()).toBe('the server answers 503')
  expect(await read()).toContain('Hel')
  const preflight = await fetch(`${server.url}/v1/threads`, { method: 'OPTIONS' })
  expect(preflight.headers.get('access-control-allow-origin')).toBe('*')
  expect((await fetch(`${server.url}/nothing`)).status).toBe(404)
})
