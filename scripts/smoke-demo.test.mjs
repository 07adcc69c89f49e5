import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { addressIn, printedAddress, servedPage } from './demo/served-page.mjs'

const never = new AbortController().signal

/**
 * Serves these paths on loopback; resolves with the address.
 *
 * @param {Record<string, { type: string, body: string }>} pages
 * @returns {Promise<string>}
 */
async function serve(pages) {
  const server = createServer((request, response) => {
    const page = pages[`${request.url}`]
    response
      .writeHead(page ? 200 : 404, { 'content-type': page?.type ?? 'text/plain' })
      .end(page?.body ?? 'nothing here')
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)))
  onTestFinished(() => void server.close())
  const address = server.address()
  return `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}/`
}

const page = { type: 'text/html', body: '<div id="root"></div><script type="module" src="/main.js"></script>' }

test('an address is found in what turbo and vite print', () => {
  expect(addressIn('@rivulet/demo:dev:   ➜  Local:   http://localhost:5173/')).toBe('http://localhost:5173/')
  expect(addressIn('see https://vite.dev/guide and example.com:80')).toBeUndefined()
})

test('a coloured address is read as a terminal would show it', async () => {
  const output = Readable.from(['Local: \u001b[36mhttp://localhost:\u001b[1m5173\u001b[22m/\u001b[39m\n'])
  expect(await printedAddress([output], never)).toBe('http://localhost:5173/')
})

test('a program that ends without an address is an error that shows what it printed', async () => {
  const outputs = [Readable.from(['starting\n']), Readable.from(['no such port\n'])]
  await expect(printedAddress(outputs, never)).rejects.toThrow(/before it printed an address[^]*no such port/)
})

test('a program that prints no address in time is an error', async () => {
  const { signal, abort } = abortable()
  const silent = new Readable({ read() {} })
  const address = printedAddress([silent], signal)
  abort()
  await expect(address).rejects.toThrow('no address in time')
})

test('a page with its script is served', async () => {
  const url = await serve({ '/': page, '/main.js': { type: 'text/javascript', body: 'run()' } })
  const served = await servedPage([Readable.from([`Local: ${url}\n`])], never)
  expect(served).toEqual({ url, bytes: page.body.length, scripts: 1 })
})

test('a page whose script is missing is an error', async () => {
  const url = await serve({ '/': page })
  await expect(servedPage([Readable.from([`${url}\n`])], never)).rejects.toThrow(`${url}main.js answered 404`)
})

test('a page that is no page is an error', async () => {
  const url = await serve({ '/': { type: 'application/json', body: '{}' } })
  await expect(servedPage([Readable.from([`${url}\n`])], never)).rejects.toThrow('answered 200 application/json')
})

function abortable() {
  const controller = new AbortController()
  return { signal: controller.signal, abort: () => controller.abort() }
}
