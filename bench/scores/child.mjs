import { clients } from './clients.mjs'

/** `child <client> <fault> <limit in ms>`: reads one broken stream, and prints what came of it as JSON. */
const [client = '', fault = '', limitMs = '60000'] = process.argv.slice(2)
const began = performance.now()
const before = process.memoryUsage().rss
let [text, peak] = ['', before]
const watch = setInterval(() => (peak = Math.max(peak, process.memoryUsage().rss)), 20)
const tell = (/** @type {string} */ end) => {
  clearInterval(watch)
  const megabytes = Math.round((Math.max(peak, process.memoryUsage().rss) - before) / 1e6)
  process.stdout.write(JSON.stringify({ end, text, seconds: (performance.now() - began) / 1000, megabytes }), () =>
    process.exit(0),
  )
}
setTimeout(() => tell('still waiting'), Number(limitMs))
try {
  text =
    (await clients[client]?.(/** @type {import('./servers.mjs').Fault} */ (fault), (shown) => (text = shown))) ?? ''
  tell('done')
} catch (error) {
  tell(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
}
