import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = join(import.meta.dirname, 'recordings')

/** One answer of a recorded exchange. */
export interface Exchange {
  /** Method and path. */
  request: string
  /** What was sent. */
  sent: string
  body: string
}

/** Names of the recordings that begin so. */
export function recordingsNamed(prefix: string): string[] {
  return readdirSync(FOLDER).filter((name) => name.startsWith(prefix))
}

/** The exchanges of a recording whose answer was an event stream, or those that asked for this path. */
export function exchangesIn(name: string): Exchange[] {
  const text = readFileSync(join(FOLDER, name), 'utf8').replaceAll('<ms>', '0')
  return text.split(/\n=+\n/).map((part) => {
    const [, request = '', sent = '', answer = ''] = /^\s*>>> (.*)\n([\s\S]*?)<<< ([\s\S]*)$/.exec(part) ?? []
    return { request, sent, body: answer.slice(answer.indexOf('\n\n') + 2) }
  })
}

/** The streams of a recording, in order. */
export function streamsIn(name: string): Exchange[] {
  return exchangesIn(name).filter(({ body }) => /^event: /m.test(body))
}

/** What the server sent over the WebSocket of a recording, frame by frame. */
export function framesIn(name: string): string[] {
  const text = readFileSync(join(FOLDER, name), 'utf8').replaceAll('<ms>', '0')
  return text.split('\n').flatMap((line) => (line.startsWith('< ') ? [line.slice(2)] : []))
}
