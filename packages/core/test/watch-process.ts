import { afterAll, afterEach, beforeAll } from 'vitest'

// Kept before any test replaces the timers.
const { setImmediate } = globalThis

/** One turn of the event loop: rejections nobody handled and warnings have been reported by then. */
const loopTurn = () => new Promise((resolve) => setImmediate(resolve))

/** From here on a process warning or an unhandled rejection fails the test that it came from. */
export function failOnSurprises(): void {
  const surprises: string[] = []
  const note = (thing: unknown) => surprises.push(String(thing))
  beforeAll(() => {
    process.on('warning', note)
    process.on('unhandledRejection', note)
  })
  afterEach(async () => {
    await loopTurn()
    if (surprises.length > 0) throw new Error(`unexpected: ${surprises.splice(0).join('; ')}`)
  })
  afterAll(() => {
    process.off('warning', note)
    process.off('unhandledRejection', note)
  })
}
