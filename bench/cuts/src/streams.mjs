import { readdirSync, readFileSync } from 'node:fs'

const folder = new URL('../../../packages/testing/test/cuts/recordings/', import.meta.url)

/**
 * The recorded streams that our own client is cut with.
 *
 * @typedef {import('../../../packages/protocol/dist/index.js').StampedEvent} StampedEvent
 * @typedef {{ name: string, runs: StampedEvent[][] }} Stream events by run
 * @returns {Promise<Stream[]>}
 */
export async function loadStreams() {
  const files = readdirSync(folder).filter((file) => file.endsWith('.json'))
  return files.toSorted().map((file) => {
    /** @type {{ events: StampedEvent[] }} */
    const { events } = JSON.parse(readFileSync(new URL(file, folder), 'utf8'))
    const ids = [...new Set(events.map(({ run }) => run))]
    return { name: file.replace('.json', ''), runs: ids.map((id) => events.filter(({ run }) => run === id)) }
  })
}
