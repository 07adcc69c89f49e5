import { nextTurn } from '@rivulet/protocol'
import { afterAll, afterEach, beforeAll } from 'vitest'
import { isNode } from './platform.ts'

/** Where a platform tells of what nobody handled. */
interface Teller {
  on(what: string, listener: (thing: unknown) => void): void
  off(what: string, listener: (thing: unknown) => void): void
}

const page: Teller = {
  on: (what, listener) => globalThis.addEventListener(what.toLowerCase(), listener),
  off: (what, listener) => globalThis.removeEventListener(what.toLowerCase(), listener),
}

/** From here on a process warning or an unhandled rejection fails the test that it came from. */
export function failOnSurprises(): void {
  const teller: Teller = isNode ? process : page
  const surprises: string[] = []
  const note = (thing: unknown) =>
    surprises.push(String(thing instanceof Event && 'reason' in thing ? thing.reason : thing))
  beforeAll(() => {
    teller.on('warning', note)
    teller.on('unhandledRejection', note)
  })
  afterEach(async () => {
    // By then rejections nobody handled and warnings have been told.
    await nextTurn()
    if (surprises.length > 0) throw new Error(`unexpected: ${surprises.splice(0).join('; ')}`)
  })
  afterAll(() => {
    teller.off('warning', note)
    teller.off('unhandledRejection', note)
  })
}
