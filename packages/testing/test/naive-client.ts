import type { Timing } from '@rivulet/client'

/** What a naive page shows. */
export interface NaivePage {
  text: string
  status: 'reading' | 'done' | 'failed'
  /** Most characters of one line that it ever held. */
  longest: number
}

/**
 * Reads a stream as a first attempt would: takes a piece for whole events, an end for the end of the run, any answer for
 * the right one, and what arrives for what was sent. It gives up after five seconds. Tests of the kit's faults need
 * somebody to fail them.
 */
export function naiveClient(
  fetch: typeof globalThis.fetch,
  timing: Timing,
): { read(thread: string): NaivePage; shown: NaivePage } {
  const client = {
    shown: { text: '', status: 'reading', longest: 0 } as NaivePage,
    read(thread: string) {
      const page: NaivePage = { text: '', status: 'reading', longest: 0 }
      const stop = new AbortController()
      const cancelTimer = timing.after(5_000, () => stop.abort(new Error('too slow')))
      void readAll(fetch, thread, page, stop.signal)
        .then(
          () => (page.status = 'done'),
          () => (page.status = 'failed'),
        )
        .then(() => {
          cancelTimer()
          // Whoever is done last is shown.
          client.shown = page
          return undefined
        })
      return page
    },
  }
  return client
}

async function readAll(
  fetch: typeof globalThis.fetch,
  thread: string,
  page: NaivePage,
  signal: AbortSignal,
): Promise<void> {
  const response = await fetch(`http://naive.invalid/v1/threads/${thread}/events?until=run1`, { signal })
  const reader = response.body!.getReader()
  let line = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const piece = line + new TextDecoder().decode(value)
    if (!piece.includes('\n')) {
      line = piece
      page.longest = Math.max(page.longest, line.length)
      continue
    }
    line = ''
    for (const block of piece.split('\n\n').filter(Boolean)) takeBlock(block, page)
  }
}

function takeBlock(block: string, page: NaivePage): void {
  const lines = block.split('\n')
  if (!lines.some((line) => line === 'event: message.delta' || line === 'event: batch')) return
  const data = lines.find((line) => line.startsWith('data: ')) ?? 'data: {}'
  // The naive part: it is what it should be.
  const events = [JSON.parse(data.slice('data: '.length))].flat() as { text: string }[]
  for (const event of events) if ('text' in event) page.text += event.text
}
