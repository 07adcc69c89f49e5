import { expect } from 'vitest'
import type { Harness } from '../src/conformance/index.ts'

/** Turns of the event loop that a test may take. */
const PATIENCE = 20_000

/** Names of the tests of a suite that fail, or do not come to an end. */
export async function failuresOf(suite: (harness: Harness) => void): Promise<string[]> {
  const tests: { name: string; run: () => Promise<void> }[] = []
  suite({ test: (name, run) => tests.push({ name, run }), expect })
  const failures: string[] = []
  for (const { name, run } of tests) if (!(await passes(run))) failures.push(name)
  return failures
}

function passes(run: () => Promise<void>): Promise<boolean> {
  const passed = run().then(
    () => true,
    () => false,
  )
  return Promise.race([passed, impatience()])
}

async function impatience(): Promise<boolean> {
  for (let turn = 0; turn < PATIENCE; turn++) await new Promise((resolve) => setImmediate(resolve))
  return false
}
