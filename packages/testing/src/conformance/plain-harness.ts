import type { Expectation, Harness } from './harness.ts'

/** A test that was registered and has not run. */
export interface PlannedTest {
  readonly name: string
  readonly run: () => Promise<void>
}

/** A {@link Harness} without a test framework: it collects tests for whoever runs them. */
export function plainHarness(): Harness & { tests: readonly PlannedTest[] } {
  const tests: PlannedTest[] = []
  return { tests, test: (name, run) => void tests.push({ name, run }), expect }
}

function expect(actual: unknown): Expectation {
  const check = (holds: boolean, how: string, expected: unknown) => {
    if (!holds) throw new Error(`expected ${textOf(actual)} ${how} ${textOf(expected)}`)
  }
  return {
    toBe: (expected) => check(Object.is(actual, expected), 'to be', expected),
    toEqual: (expected) => check(isEqual(actual, expected, false), 'to equal', expected),
    toMatchObject: (expected) => check(isEqual(actual, expected, true), 'to match', expected),
  }
}

/** Equal as test frameworks mean it: a property that is `undefined` is as good as none. `partial`: more may be there. */
function isEqual(actual: unknown, expected: unknown, partial: boolean): boolean {
  if (Object.is(actual, expected)) return true
  if (typeof actual !== 'object' || typeof expected !== 'object' || actual === null || expected === null) return false
  if (Array.isArray(actual) !== Array.isArray(expected)) return false
  if (Array.isArray(actual) && Array.isArray(expected) && actual.length !== expected.length) return false
  const keys = new Set([...(partial ? [] : Object.keys(actual)), ...Object.keys(expected)])
  return [...keys].every((key) => isEqual(Reflect.get(actual, key), Reflect.get(expected, key), partial))
}

function textOf(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value)
  return text.length > 300 ? `${text.slice(0, 300)}…` : text
}
