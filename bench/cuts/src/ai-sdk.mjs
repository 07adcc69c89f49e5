import { AbstractChat, DefaultChatTransport } from 'ai'
import { aiSdkWire } from '../../src/production.mjs'

/**
 * What a page of `useChat` holds: @ai-sdk/react has the same in React's terms.
 *
 * @extends {AbstractChat<import('ai').UIMessage>}
 */
class Chat extends AbstractChat {
  /**
   * @param {string} api
   * @param {(state: unknown) => void} show
   */
  constructor(api, show) {
    let ids = 0
    /** @type {any[]} */
    let messages = []
    const state = {
      status: /** @type {any} */ ('ready'),
      error: /** @type {Error | undefined} */ (undefined),
      get messages() {
        return messages
      },
      set messages(next) {
        messages = next
        show(messages)
      },
      pushMessage(/** @type {any} */ message) {
        state.messages = [...messages, message]
      },
      popMessage() {
        state.messages = messages.slice(0, -1)
      },
      replaceMessage(/** @type {number} */ index, /** @type {any} */ message) {
        state.messages = messages.with(index, state.snapshot(message))
      },
      snapshot: (/** @type {any} */ value) => structuredClone(value),
    }
    super({ id: 'c', state, transport: new DefaultChatTransport({ api }), generateId: () => `id${ids++}` })
  }
}

/** The AI SDK's chat, as `useChat` uses it. It reconnects only when a page asks it to: nothing of it does by itself. */
export const aiSdk = /** @satisfies {import('./peer.mjs').Peer} */ ({
  async write({ runs }) {
    const { createAiSdkEncoder } = await aiSdkWire()
    return runs.map((events) => {
      const encoder = createAiSdkEncoder()
      return events.flatMap((event) => encoder.encode(event).map((data) => `data: ${data}\n\n`))
    })
  },
  backend(blocks, cut) {
    let run = -1
    return ({ method }) => {
      if (method !== 'POST') return { status: 204 }
      run++
      return {
        blocks: blocks[run] ?? [],
        headers: { 'x-vercel-ai-ui-message-stream': 'v1' },
        cut: cut?.run === run ? cut : undefined,
      }
    }
  },
  async play(url, runs, show) {
    const chat = new Chat(`${url}/api/chat`, show)
    for (let run = 0; run < runs; run++) {
      await chat.sendMessage({ text: 'go' })
      if (chat.status === 'error') throw chat.error ?? new Error('no error was told')
    }
  },
})
