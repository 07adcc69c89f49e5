import { Client } from '@langchain/langgraph-sdk'
import { langGraphWire, protocol } from '../../src/production.mjs'

/** @type {('values' | 'messages-tuple' | 'updates' | 'custom')[]} */
const MODES = ['values', 'messages-tuple', 'updates', 'custom']

/**
 * LangGraph's SDK on its classic stream, resumable, as its documentation has it. The server names a run's stream in
 * `Location`, from which the SDK reconnects, or only in `Content-Location`, as LangGraph's JS server 1.5.1 does.
 *
 * @param {{ hasLocation: boolean }} options
 * @returns {import('./peer.mjs').Peer}
 */
export function langGraph({ hasLocation }) {
  return {
    async write({ runs }) {
      const { emptyState, fold } = await protocol()
      const { createLangGraphEncoder } = await langGraphWire()
      let state = emptyState()
      return runs.map((events) => {
        const encoder = createLangGraphEncoder({ modes: MODES })
        let id = 0
        return events.flatMap((event) => {
          state = fold(state, event)
          return encoder
            .encode(event, state)
            .map((block) => `event: ${block.event}\ndata: ${JSON.stringify(block.data)}\nid: ${id++}\n\n`)
        })
      })
    },
    backend(blocks, cut) {
      let run = -1
      let isOver = false
      return ({ method, path, headers }) => {
        const place = `/threads/t/runs/r${run}`
        if (method === 'POST') {
          run++
          const mine = `/threads/t/runs/r${run}`
          const now = cut?.run === run ? cut : undefined
          isOver = now === undefined
          return {
            blocks: blocks[run] ?? [],
            headers: { 'content-location': mine, ...(hasLocation && { location: `${mine}/stream` }) },
            cut: now,
          }
        }
        // A run goes on while nobody reads, and is over once its end was sent.
        if (path.endsWith(place)) return { json: { run_id: `r${run}`, status: isOver ? 'success' : 'running' } }
        if (!path.includes(`${place}/stream`)) return { status: 404 }
        isOver = true
        const last = headers['last-event-id']
        return { blocks: (blocks[run] ?? []).slice(last === undefined ? 0 : Number(last) + 1) }
      }
    },
    async play(url, runs, show) {
      const client = new Client({ apiUrl: url, apiKey: null, callerOptions: { maxRetries: 0 } })
      for (let run = 0; run < runs; run++) {
        const parts = []
        const options = {
          input: {},
          streamMode: MODES,
          streamResumable: true,
        }
        show(run)
        for await (const { event, data } of client.runs.stream('t', 'agent', options)) {
          parts.push({ event, data })
          show([run, parts])
        }
      }
    },
  }
}
