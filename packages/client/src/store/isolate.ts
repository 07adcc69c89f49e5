/**
 * Calls a user's callback so that what it throws never reaches the stream: it is reported as an uncaught error would
 * be, and a promise it returns is watched too.
 */
export function isolate<A extends readonly unknown[]>(fn: ((...args: A) => unknown) | undefined, ...args: A): void {
  try {
    const result = fn?.(...args)
    if (result instanceof Promise) result.catch(report)
  } catch (error) {
    report(error)
  }
}

function report(error: unknown): void {
  if (typeof globalThis.reportError === 'function') globalThis.reportError(error)
  // eslint-disable-next-line no-console -- where there is no reportError (Node), throwing later would end the process
  else console.error(error)
}
