/** Taken at import: a test that replaces the global timers does not stop logs from being written. */
const immediate: ((done: () => void) => unknown) | undefined = globalThis.setImmediate

/** The turn that is waited for. */
let coming: Promise<void> | undefined

/**
 * Resolves when everything that is ready now has had its turn: one promise for all who ask before then. It waits for no
 * time to pass: where there is no `setImmediate`, a message to oneself takes its place, as browsers slow down timers.
 */
export function nextTurn(): Promise<void> {
  coming ??= turn().finally(() => (coming = undefined))
  return coming
}

function turn(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate !== undefined) {
      immediate(resolve)
      return
    }
    const { port1, port2 } = new MessageChannel()
    port1.addEventListener('message', () => {
      port1.close()
      resolve()
    })
    port1.start()
    port2.postMessage(undefined)
  })
}
