import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

const LIMIT_MS = 60_000

/**
 * LangGraph's development server with the graphs of this folder, which need neither a key nor a network. Throws with what
 * it wrote when it is not ready in time.
 *
 * @returns {Promise<{ url: string, close: () => Promise<void> }>}
 */
export async function startLangGraph() {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const cli = new URL('../node_modules/.bin/langgraphjs', import.meta.url).pathname
  const server = spawn(cli, ['dev', '--host', '127.0.0.1', '--port', String(port), '--no-browser'], {
    cwd: new URL('.', import.meta.url),
    env: { ...process.env, PORT: String(port), LANGSMITH_TRACING: 'false', LANGGRAPH_CLI_NO_ANALYTICS: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: it starts processes, and all of them are ended together.
    detached: true,
  })
  let said = ''
  for (const stream of [server.stdout, server.stderr]) stream.on('data', (data) => (said += String(data)))
  const close = async () => {
    if (server.exitCode !== null || server.pid === undefined) return
    const ended = once(server, 'exit')
    process.kill(-server.pid, 'SIGKILL')
    await ended
  }
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await sleep(200)) {
    const answer = await fetch(`${url}/ok`).catch(() => undefined)
    if (answer?.ok) return { url, close }
    if (server.exitCode !== null) break
  }
  await close()
  throw new Error(`LangGraph's server did not start:\n${said}`)
}

/** @returns {Promise<number>} */
async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const address = probe.address()
  probe.close()
  await once(probe, 'close')
  return typeof address === 'object' && address !== null ? address.port : 0
}
