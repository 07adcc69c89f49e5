import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'

/** A server in a process of its own. */
export interface Server {
  readonly url: string
  readonly kills: number
  /** Ends the process without a word and starts another on the same port and database. */
  kill(): Promise<void>
  /** Heap in use after a collection, in bytes, and how many streams it has open. */
  measure(): Promise<{ heapBytes: number; openStreams: number }>
  close(): Promise<void>
}

/** Starts a server; with a database what it knows outlives it. */
export async function startServer(program: string, path?: string): Promise<Server> {
  let child: ChildProcess
  let port = 0
  let kills = 0
  async function start(): Promise<void> {
    const args = [String(port), ...(path === undefined ? [] : [path])]
    child = fork(program, args, { execArgv: ['--expose-gc', '--unhandled-rejections=strict'], stdio: 'inherit' })
    // What `server.ts` says first.
    const [told] = (await once(child, 'message')) as [{ port: number }]
    port = told.port
  }
  async function end(): Promise<void> {
    const gone = once(child, 'exit')
    child.kill('SIGKILL')
    await gone
  }
  await start()
  return {
    url: `http://127.0.0.1:${port}`,
    get kills() {
      return kills
    },
    async kill() {
      kills++
      await end()
      await start()
    },
    async measure() {
      child.send('measure')
      const [told] = (await once(child, 'message')) as [{ heapBytes: number; openStreams: number }]
      return told
    },
    close: end,
  }
}
