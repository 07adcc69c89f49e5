import { fetchTransport, systemTiming, type Transport } from '@rivulet/client'
import type { Source } from '../pump/playable.ts'
import { freePump, isPump, type Pump } from '../pump/pump.ts'
import { createConnections, type DeliveryOptions } from './connections.ts'
import { createWire, type Wire } from './wire.ts'

/** How a delivery in this process is made. */
export interface MemoryOptions extends DeliveryOptions {
  /** Longest event that the client takes, in characters. Default 16 Mi. */
  maxEventBytes?: number | undefined
}

/**
 * A transport over bytes that never leave this process: the client's own HTTP transport with a `fetch` that answers out
 * of the script. Give it a pump to hold events back; a script or a tape alone plays by itself as fast as it is read, and a
 * graph runs as it would behind a server.
 */
export function memoryTransport(source: Pump | Source, { maxEventBytes, ...options }: MemoryOptions = {}): Transport {
  return fetchTransport({ url: ADDRESS, fetch: memoryFetch(source, options), maxEventBytes })
}

/** A `fetch` that answers out of a script, whatever address is asked: for clients of one's own. */
export function memoryFetch(source: Pump | Source, options: DeliveryOptions = {}): typeof fetch {
  const wire = wireOf(source, options)
  return (input, init) => wire(new Request(input, init))
}

/** The wire of a delivery, to a pump or to what then plays by itself. */
export function wireOf(source: Pump | Source, options: DeliveryOptions): Wire {
  const pump = pumpOf(source)
  return createWire(pump, createConnections(pump, options))
}

/** Where nobody listens. */
const ADDRESS = 'http://script.invalid'

/** The pump itself, or one that holds nothing back. */
export function pumpOf(source: Pump | Source): Pump {
  return isPump(source) ? source : freePump(source, systemTiming)
}
