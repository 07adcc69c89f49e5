// The bundler of the tests answers it, in Node as in a page.
declare global {
  interface ImportMeta {
    glob(pattern: string, options: { query: string; import: string; eager: true }): Record<string, unknown>
  }
}

const texts = new Map(
  Object.entries(import.meta.glob('./recordings/*.txt', { query: '?raw', import: 'default', eager: true })).map(
    // What is asked for raw is text.
    ([path, text]) => [path.replace('./recordings/', ''), (text as string).replaceAll('<ms>', '0')],
  ),
)

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
  return [...texts.keys()].filter((name) => name.startsWith(prefix))
}

/** A recording as it lies there. Throws when there is none. */
export function recordingAt(name: string): string {
  const text = texts.get(name)
  if (text === undefined) throw new Error(`there is no recording ${name}`)
  return text
}

/** The exchanges of a recording whose answer was an event stream, or those that asked for this path. */
export function exchangesIn(name: string): Exchange[] {
  return recordingAt(name)
    .split(/\n=+\n/)
    .map((part) => {
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
  return recordingAt(name)
    .split('\n')
    .flatMap((line) => (line.startsWith('< ') ? [line.slice(2)] : []))
}
