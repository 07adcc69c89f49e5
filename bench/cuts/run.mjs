import { parseArgs } from 'node:util'
import { aiSdk } from './src/ai-sdk.mjs'
import { langGraph } from './src/langgraph.mjs'
import { scoreOurs } from './src/ours.mjs'
import { loadStreams } from './src/streams.mjs'
import { scorePeer } from './src/peer.mjs'
import { table } from './src/table.mjs'

/** `node run.mjs [names] [--bytes 500] [--lanes 16]`: see ../README.md. */
const { values: options, positionals: names } = parseArgs({
  allowPositionals: true,
  options: { bytes: { type: 'string', default: '500' }, lanes: { type: 'string', default: '16' } },
})
const sample = { bytes: Number(options.bytes), lanes: Number(options.lanes) }

/** @type {[name: string, score: () => Promise<import('./src/table.mjs').Scores>][]} */
const subjects = [
  ['ours over SSE', () => scoreOurs('sse', sample)],
  ['ours over a WebSocket', () => scoreOurs('web-socket', sample)],
  ['LangGraph SDK 1.15.0', async () => scorePeer(langGraph({ hasLocation: false }), await loadStreams(), sample)],
  ['LangGraph SDK, Location', async () => scorePeer(langGraph({ hasLocation: true }), await loadStreams(), sample)],
  ['AI SDK 7.0.173', async () => scorePeer(aiSdk, await loadStreams(), sample)],
]
const chosen = subjects.filter(([name]) => names.length === 0 || names.some((part) => name.includes(part)))
for (const [name, score] of chosen) process.stdout.write(table(name, await score()))
