/** The part of a test framework that suites use; vitest's and jest's `test` and `expect` fit. */
export interface Harness {
  test: (name: string, run: () => Promise<void>) => unknown
  expect: (actual: unknown) => Expectation
}

/** What is asked of a value. */
export interface Expectation {
  toBe(expected: unknown): unknown
  toEqual(expected: unknown): unknown
  toMatchObject(expected: object): unknown
}

/** The same harness, every test named after this first. */
export function about(subject: string, { test, expect }: Harness): Harness {
  return { test: (name, run) => test(`${subject} ${name}`, run), expect }
}

/** The code of the error that a call throws; `undefined` when it throws none. */
export async function codeOf(call: () => unknown): Promise<unknown> {
  try {
    await call()
    return undefined
  } catch (error) {
    return typeof error === 'object' && error !== null && 'code' in error ? error.code : error
  }
}
