import { EventEmitter } from 'node:events'
import type { Socket } from 'node:net'
import { expect, test } from 'vitest'
import { Addresses, addressOf } from './addresses.ts'

/** Of a socket, what is asked of it here. */
function socketFrom(remoteAddress: string): Socket {
  return Object.assign(new EventEmitter(), { remoteAddress }) as unknown as Socket
}

test.each([
  ['192.0.2.7', '192.0.2.7'],
  ['::ffff:192.0.2.7', '192.0.2.7'],
  ['::1', '::1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::'],
  ['2001:DB8:1:2::9', '2001:db8:1:2::'],
  ['2001:db8::9', '2001:db8:0:0::'],
  ['fe80::1%eth0', 'fe80:0:0:0::'],
  ['::2', '0:0:0:0::'],
  ['', ''],
])('%s counts as %s', (remote, address) => {
  expect(addressOf(remote)).toBe(address)
})

test('an address has so many connections, and others as many', () => {
  const addresses = new Addresses(2)
  const first = socketFrom('192.0.2.7')
  expect([first, socketFrom('::ffff:192.0.2.7'), socketFrom('192.0.2.7')].map((one) => addresses.take(one))).toEqual([
    true,
    true,
    false,
  ])
  expect(addresses.take(socketFrom('192.0.2.8'))).toBe(true)
  first.emit('close')
  expect(addresses.take(socketFrom('192.0.2.7'))).toBe(false)
})

test('without a bound of its own it has 1,000, and this machine any number', () => {
  const addresses = new Addresses(undefined)
  const taken = (remote: string) =>
    Array.from({ length: 1001 }, () => addresses.take(socketFrom(remote))).filter((one) => one).length
  expect(['192.0.2.7', '127.0.0.1', '::1'].map(taken)).toEqual([1000, 1001, 1001])
})
