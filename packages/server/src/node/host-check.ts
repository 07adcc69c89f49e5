import type { IncomingMessage } from 'node:http'

/** Tells whether a request is addressed to a name that the server goes by. */
export type HostCheck = (request: IncomingMessage) => boolean

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]']

/**
 * Takes only requests addressed to `hosts`, names without port. Without them: on a loopback address only loopback names,
 * so that no page can reach the server by a name of its own that leads there; elsewhere any.
 */
export function hostCheck(hosts: readonly string[] | undefined, isLocal: boolean, hostname: string): HostCheck {
  const own = hostname.includes(':') ? `[${hostname}]` : hostname
  const allowed = hosts ?? (isLocal ? [...LOOPBACK, own] : undefined)
  if (allowed === undefined) return () => true
  const names = new Set(allowed.map((name) => name.toLowerCase()))
  return ({ headers: { host = '' } }) => names.has(host.replace(/:\d{1,5}$/, '').toLowerCase())
}
