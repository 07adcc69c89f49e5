import { addressConformance } from './address.ts'
import { checkpointerConformance, type MakeCheckpointer } from './checkpointer.ts'
import type { Harness } from './harness.ts'
import { logConformance, type MakeLog } from './log.ts'
import { plainHarness } from './plain-harness.ts'
import { serverConformance, type MakeServer } from './server.ts'
import { storeConformance } from './store.ts'
import type { MakeStore } from './stored.ts'
import { transportConformance, type MakeTransport } from './transport.ts'

/** How the command is called. */
export const USAGE = `rivulet-conformance server <url> [--graph <name>] [--header <name>:<value>]...
rivulet-conformance server|transport|store|log|checkpointer <module>

A url is a server that runs already, asked with whatever graph it has. A module's default export is what the suite of
that name takes: (graph) => server or transport, () => store, log or checkpointer. It may be async.`

/** What a suite takes, by the name of what it asks. What a module exports is trusted to be that. */
const SUITES: Readonly<Record<string, (make: unknown, harness: Harness) => void>> = {
  server: (make, harness) => serverConformance(make as MakeServer, harness),
  transport: (make, harness) => transportConformance(make as MakeTransport, harness),
  store: (make, harness) => storeConformance(make as MakeStore, harness),
  log: (make, harness) => logConformance(make as MakeLog, harness),
  checkpointer: (make, harness) => checkpointerConformance(make as MakeCheckpointer, harness),
}

/** Time in ms after which a test has failed. */
const LIMIT_MS = 30_000

/** What the command needs of its surroundings. */
export interface Surroundings {
  readonly args: readonly string[]
  /** Imports the module that an argument names. */
  readonly load: (module: string) => Promise<{ default?: unknown }>
  readonly write: (line: string) => void
}

/** Runs the suite that the arguments ask for, test by test, and answers the exit code: 0 when all passed. */
export async function runCommand({ args, load, write }: Surroundings): Promise<number> {
  const [kind = '', place, ...options] = args
  const suite = SUITES[kind]
  if (suite === undefined || place === undefined) {
    write(USAGE)
    return 2
  }
  const harness = plainHarness()
  if (/^https?:/.test(place)) {
    if (kind !== 'server') {
      write(`only a server has an address\n\n${USAGE}`)
      return 2
    }
    addressConformance({ url: place, ...readOptions(options) }, harness)
  } else suite((await load(place)).default, harness)
  let failed = 0
  for (const { name, run } of harness.tests) {
    try {
      await within(LIMIT_MS, run())
      write(`ok ${name}`)
    } catch (error) {
      failed++
      write(`not ok ${name}\n  ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  write(`${harness.tests.length - failed} passed, ${failed} failed`)
  return failed === 0 && harness.tests.length > 0 ? 0 : 1
}

function within(limitMs: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it was not over after ${limitMs} ms`)), limitMs)
    work.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}

function readOptions(options: readonly string[]): { graph?: string; headers: Record<string, string> } {
  const headers: Record<string, string> = {}
  let graph: string | undefined
  for (let i = 0; i < options.length; i += 2) {
    const value = options[i + 1] ?? ''
    if (options[i] === '--graph') graph = value
    if (options[i] === '--header')
      headers[value.slice(0, value.indexOf(':')).trim()] = value.slice(value.indexOf(':') + 1).trim()
  }
  return { headers, ...(graph !== undefined && { graph }) }
}
