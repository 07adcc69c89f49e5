import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Browser, type Page } from 'playwright-core'
import { createServer, type ViteDevServer } from 'vite'
import type { ModelEnvironment } from '../server/agent/model-choice.ts'
import { demoConfig } from '../server/dev/config.ts'

const FLAGS =
  '--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync'

/** A running demo. */
export interface RunningDemo {
  url: string
  server: ViteDevServer
}

/** Starts the demo as `pnpm demo` does, on a free port. Its dependency cache is apart from that of a demo in use. */
export async function startDemo(env: ModelEnvironment): Promise<RunningDemo> {
  const data = await mkdtemp(join(tmpdir(), 'rivulet-demo-'))
  const config = demoConfig({ ...env, DEMO_DATA: join(data, 'chats.db') })
  const server = await createServer({
    ...config,
    configFile: false,
    cacheDir: 'node_modules/.vite-test',
    logLevel: 'warn',
    server: { ...config.server, port: 0, watch: null, hmr: false, warmup: { clientFiles: ['src/main.tsx'] } },
  })
  await server.listen()
  const url = server.resolvedUrls?.local[0]
  if (!url) throw new Error('the demo has no address')
  server.httpServer?.once('close', () => void rm(data, { recursive: true, force: true }))
  return { url, server }
}

/** Starts the browser without a window. */
export function launch(executablePath: string): Promise<Browser> {
  return chromium.launch({ executablePath, args: FLAGS.split(' ') })
}

/** Text of the sample CSV that comes with the page. */
export function readSample(): Promise<string> {
  return readFile(fileURLToPath(new URL('../public/river-gauges.csv', import.meta.url)), 'utf8')
}

/** Types a message and sends it by Enter. */
export async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel('Message').fill(text)
  await page.getByLabel('Message').press('Enter')
}

/** Resolves when an answer is under way. */
export async function untilBusy(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Stop', exact: true }).waitFor()
}

/** Resolves when no answer is under way. */
export async function untilIdle(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Send', exact: true }).waitFor()
}

/**
 * Notes every value that `read` gives from now on, each time the page changes. `read` runs in the page and must not use
 * anything from outside. The function it returns answers what was noted.
 */
export async function watch<T>(page: Page, read: () => T | undefined): Promise<() => Promise<T[]>> {
  const noted = await page.evaluateHandle(`(() => {
    const read = ${read.toString()}
    const values = []
    const note = () => {
      const value = read()
      if (value !== undefined && value !== values.at(-1)) values.push(value)
    }
    new MutationObserver(note).observe(document.body, { subtree: true, childList: true, characterData: true, attributes: true })
    return values
  })()`)
  // The page makes it of what \`read\` returned.
  return async () => (await noted.jsonValue()) as T[]
}

/** Drops a text file on the chat, as from the desktop. */
export async function dropFile(page: Page, name: string, text: string): Promise<void> {
  const transfer = await page.evaluateHandle(
    ([fileName, content]) => {
      const data = new DataTransfer()
      data.items.add(new File([content!], fileName!, { type: 'text/csv' }))
      return data
    },
    [name, text],
  )
  for (const type of ['dragenter', 'dragover', 'drop'])
    await page.dispatchEvent('main', type, { dataTransfer: transfer })
}
