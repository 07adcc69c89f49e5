import type { Socket } from 'node:net'

/** Counts the connections of each address. */
export class Addresses {
  readonly #open = new Map<string, number>()
  readonly #max: number | undefined

  /** `max`: connections that one address may have. Without it: 1,000, and any number from this machine, where proxies run. */
  constructor(max: number | undefined) {
    this.#max = max
  }

  /** Counts a connection until it is closed; `false` when its address has too many. */
  take(socket: Socket): boolean {
    const address = addressOf(socket.remoteAddress ?? '')
    const open = (this.#open.get(address) ?? 0) + 1
    this.#open.set(address, open)
    socket.once('close', () => {
      const left = (this.#open.get(address) ?? 1) - 1
      if (left === 0) this.#open.delete(address)
      else this.#open.set(address, left)
    })
    return open <= (this.#max ?? (isLocal(address) ? Infinity : DEFAULT_MAX))
  }
}

const DEFAULT_MAX = 1000

/**
 * Whose address it is: an IPv4 address, also where it came in an IPv6 one, or the first 64 bits of an IPv6 address, as
 * whoever has one has all that begin so.
 */
export function addressOf(remote: string): string {
  const mapped = /^::ffff:(\d{1,3}(?:\.\d{1,3}){3})$/i.exec(remote)?.[1]
  if (mapped !== undefined) return mapped
  if (!remote.includes(':')) return remote
  const [head = '', tail] = remote.toLowerCase().replace(/%.*$/, '').split('::')
  const front = head === '' ? [] : head.split(':')
  const back = tail === undefined || tail === '' ? [] : tail.split(':')
  const zeros = tail === undefined ? 0 : 8 - front.length - back.length
  const groups = [...front, ...Array.from({ length: zeros }, () => '0'), ...back]
  // The one address of that network that is this machine.
  if (groups.join(':') === '0:0:0:0:0:0:0:1') return '::1'
  return `${groups.slice(0, 4).join(':')}::`
}

function isLocal(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
