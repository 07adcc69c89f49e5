import { messageOfThrown, RivuletError } from '@rivulet/protocol'

/** For the rejection of an `import()` of a provider's package: an error that says what to install. */
export function missingPeer(name: string, what: string): (error: unknown) => never {
  return (error) => {
    const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined
    const missing = code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND'
    const why = missing ? 'which is not installed' : `which could not be loaded (${messageOfThrown(error)})`
    throw new RivuletError('UNSUPPORTED', `${what} needs the package "${name}", ${why}: npm install ${name}`, {
      cause: error,
    })
  }
}
