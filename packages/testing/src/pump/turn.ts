/** Taken at import: a test that replaces the global timers must not stop the event loop. */
const immediate: ((done: () => void) => unknown) | undefined = globalThis.setImmediate

/** Resolves when everything that is ready now has had its turn. No time passes. */
export function nextTurn(): Promise<void> {
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
