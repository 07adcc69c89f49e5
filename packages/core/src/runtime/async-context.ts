import { RivuletError } from '@rivulet/protocol/model'

/** The one class that is needed here, as `node:async_hooks` has it. */
interface Storage {
  run<T>(store: object, fn: () => T): T
  getStore(): object | undefined
}

interface NodeProcess {
  getBuiltinModule?: (name: string) => { AsyncLocalStorage: new () => Storage } | undefined
}

/** Found at run time, so that bundlers for the browser have nothing to resolve. `undefined` where it does not exist. */
const storage: Storage | undefined = createStorage()

function createStorage(): Storage | undefined {
  const { process } = globalThis as { process?: NodeProcess }
  const module = process?.getBuiltinModule?.('node:async_hooks')
  return module === undefined ? undefined : new module.AsyncLocalStorage()
}

/** Runs `fn` with `context` as its ambient one, where the platform can. */
export function runWithContext<T>(context: object, fn: () => T): T {
  return storage === undefined ? fn() : storage.run(context, fn)
}

/** The context this code runs in; `undefined` outside of a node and where the platform cannot tell. */
export function ambientContext(): object | undefined {
  return storage?.getStore()
}

/** Why there is no ambient context, as a typed error that says what to do instead. */
export function noContext(what: string): RivuletError {
  const why =
    storage === undefined
      ? `${what} needs AsyncLocalStorage, which this platform does not have: use the node's ctx instead`
      : `${what} was called outside of a running node`
  return new RivuletError('NO_CONTEXT', why)
}
