import { createClient, fetchTransport } from '@rivulet/client'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { readAgentLabel } from './agent-label.ts'
import { App } from './app.tsx'
import { Broken } from './broken.tsx'
import { titledTransport } from './titled-transport.ts'
import { keepingTransport, unsentStarts } from './unsent-starts.ts'

const unsent = unsentStarts(sessionStorage)
const transport = titledTransport(fetchTransport({ url: location.origin }))
const client = createClient({ transport: keepingTransport(transport, unsent) })
const queries = new QueryClient()

const root = createRoot(document.querySelector('#root')!, {
  onUncaughtError(error) {
    reportError(error)
    // Not while React is taking the page down.
    queueMicrotask(() => root.render(<Broken />))
  },
})

root.render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App client={client} unsent={unsent} agent={readAgentLabel()} />
    </QueryClientProvider>
  </StrictMode>,
)
