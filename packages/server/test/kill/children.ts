import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { build } from 'esbuild'

const FOLDER = join(import.meta.dirname, '../../node_modules/.kill-test')

/** Makes a program of `child.ts`, as Node cannot run it as it is. Answers its path. */
export async function buildChild(): Promise<string> {
  await mkdir(FOLDER, { recursive: true })
  const outfile = join(FOLDER, `child-${process.pid}.mjs`)
  await build({
    entryPoints: [join(import.meta.dirname, 'child.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['@rivulet/source'],
    external: ['@libsql/client/sqlite3'],
    // `ws` is CommonJS and asks for Node's modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url)" },
    logLevel: 'error',
  })
  return outfile
}

/** Removes what {@link buildChild} made. */
export async function removeChild(program: string): Promise<void> {
  await rm(program, { force: true })
}

/** A server in a process of its own. */
export interface Child {
  /** `undefined` when it died before it listened. */
  url: string | undefined
  /** Ends it without a word. */
  kill: () => void
  /** Resolves when the process is gone, with the signal that ended it. */
  gone: Promise<NodeJS.Signals | null>
}

/** Starts the program on a database. Resolves when it listens, or is gone. */
export async function startChild(program: string, path: string, point?: string): Promise<Child> {
  const child: ChildProcess = spawn(process.execPath, [program, path, ...(point === undefined ? [] : [point])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const gone = new Promise<NodeJS.Signals | null>((resolve) => child.once('exit', (_code, signal) => resolve(signal)))
  const lines = createInterface({ input: child.stdout! })
  const address = new Promise<string>((resolve) => lines.once('line', resolve))
  const url = await Promise.race([address, gone.then(() => undefined)])
  return { url, kill: () => child.kill('SIGKILL'), gone }
}
