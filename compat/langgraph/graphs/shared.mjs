import { AIMessage, AIMessageChunk } from '@langchain/core/messages'
import { BaseChatModel } from '@langchain/core/language_models/chat_models'
import { ChatGenerationChunk } from '@langchain/core/outputs'
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
let seq = 0
/** replies: list of {text?, tool_calls?}; chosen by number of AI messages already in the list */
export class Fake extends BaseChatModel {
  constructor({ replies, delay = 5 }) {
    super({})
    this.replies = replies
    this.delay = delay
  }
  _llmType() {
    return 'fake'
  }
  bindTools() {
    return this
  }
  pick(messages) {
    const lastHuman = messages.findLastIndex((m) => m.getType() === 'human')
    const n = messages.slice(lastHuman + 1).filter((m) => m.getType() === 'ai').length
    return this.replies[Math.min(n, this.replies.length - 1)]
  }
  async _generate(messages) {
    const r = this.pick(messages)
    return {
      generations: [
        { text: r.text ?? '', message: new AIMessage({ content: r.text ?? '', tool_calls: r.tool_calls ?? [] }) },
      ],
    }
  }
  async *_streamResponseChunks(messages, options, rm) {
    const r = this.pick(messages)
    const id = `fake-${++seq}`
    const mk = (f, t = '') =>
      new ChatGenerationChunk({ text: t, message: new AIMessageChunk({ id, content: t, ...f }) })
    if (r.text)
      for (const t of r.text.match(/\S+\s*/g)) {
        await sleep(this.delay)
        if (options.signal?.aborted) throw new Error('Aborted')
        const c = mk({}, t)
        yield c
        await rm?.handleLLMNewToken(t, undefined, undefined, undefined, undefined, { chunk: c })
      }
    for (const [i, tc] of (r.tool_calls ?? []).entries()) {
      const a = JSON.stringify(tc.args)
      const h = Math.ceil(a.length / 2)
      for (const [k, part] of [a.slice(0, h), a.slice(h)].entries()) {
        await sleep(this.delay)
        const c = mk({
          tool_call_chunks: [
            { type: 'tool_call_chunk', index: i, args: part, ...(k === 0 ? { id: tc.id, name: tc.name } : {}) },
          ],
        })
        yield c
        await rm?.handleLLMNewToken('', undefined, undefined, undefined, undefined, { chunk: c })
      }
    }
    const n = r.text ? r.text.split(' ').length : 2
    const c = mk({
      usage_metadata: { input_tokens: 3, output_tokens: n, total_tokens: n + 3 },
      response_metadata: { finish_reason: r.tool_calls?.length ? 'tool_calls' : 'stop' },
    })
    yield c
    await rm?.handleLLMNewToken('', undefined, undefined, undefined, undefined, { chunk: c })
  }
}
export { sleep }
