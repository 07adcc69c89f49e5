import { createClient, type Client } from '../src/client.ts'
import type { ThreadOptions, ThreadStore } from '../src/store/thread-store.ts'
import type { Transport } from '../src/transports/transport.ts'
import { fakeTiming, type FakeTiming } from './fake-timing.ts'
import { createPump, type Pump } from './pump.ts'

/** A thread over a pump, with time that the test moves. */
export interface ThreadBench {
  readonly client: Client
  readonly thread: ThreadStore
  readonly pump: Pump
  readonly timing: FakeTiming
}

export function threadBench(options: Partial<ThreadOptions> = {}, transport: Partial<Transport> = {}): ThreadBench {
  const timing = fakeTiming()
  const pump = createPump(transport)
  const client = createClient({ transport: pump.transport, timing })
  return { client, thread: client.thread({ graph: 'agent', ...options }), pump, timing }
}
