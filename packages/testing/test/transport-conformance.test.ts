import { inProcess, type Transport } from '@rivulet/client'
import type { Frame, StreamableGraph } from '@rivulet/protocol'
import { describe, expect, test } from 'vitest'
import { transportConformance } from '../src/conformance/index.ts'
import { failuresOf } from './failures-of.ts'

describe('the transport in process', () => {
  transportConformance((graph) => ({ transport: inProcess(graph) }), { test, expect })
})

/** The transport in process with this done to its streams. */
function broken(graph: StreamableGraph, change: (frames: AsyncIterable<Frame>) => AsyncIterable<Frame>): Transport {
  const transport = inProcess(graph)
  return { ...transport, open: (request, options) => change(transport.open(request, options)) }
}

async function* endingEarly(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  let left = 1
  for await (const frame of frames) if (left-- > 0) yield frame
}

async function* losing(frames: AsyncIterable<Frame>): AsyncGenerator<Frame> {
  for await (const frame of frames) {
    const events = frame.type === 'events' ? frame.events.filter(({ type }) => type !== 'message.end') : []
    yield frame.type === 'events' ? { ...frame, events } : frame
  }
}

describe('the suite sees', () => {
  test.each<[string, (graph: StreamableGraph) => Transport, string]>([
    ['a stream that ends early', (graph) => broken(graph, endingEarly), 'a run streams'],
    ['an event that is lost', (graph) => broken(graph, losing), 'a run streams'],
    [
      'a cursor that is taken for the next one',
      (graph) => {
        const transport = inProcess(graph)
        const later = (after: string | undefined) => after?.replace(/\d+$/, (seq) => String(Number(seq) + 1))
        return {
          ...transport,
          open: (request, options) => transport.open(request, { ...options, after: later(options.after) }),
        }
      },
      'from every cursor',
    ],
    [
      'a run that is started again',
      (graph) => {
        const transport = inProcess(graph)
        const renamed = (start: Parameters<Transport['open']>[0]['start']) =>
          start && { ...start, run: `${start.run}${Math.random()}` }
        return {
          ...transport,
          open: ({ start, ...rest }, options) => transport.open({ ...rest, start: renamed(start) }, options),
        }
      },
      'the same run started again',
    ],
    ['a cancel that does nothing', (graph) => ({ ...inProcess(graph), cancel: async () => {} }), 'cancel ends'],
    [
      'a filter that is not looked at',
      (graph) => {
        const transport = inProcess(graph)
        return { ...transport, open: ({ filter: _filter, ...rest }, options) => transport.open(rest, options) }
      },
      'a reader may read part',
    ],
  ])('%s', async (_name, make, failing) => {
    const failures = await failuresOf((harness) =>
      transportConformance((graph) => ({ transport: make(graph) }), harness),
    )
    expect(failures.some((name) => name.startsWith(failing))).toBe(true)
  })
})
