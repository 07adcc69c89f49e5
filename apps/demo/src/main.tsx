import { createClient, fetchTransport } from '@rivulet/client'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { readAgentLabel } from './agent-label.ts'
import { App } from './app.tsx'
import { titledTransport } from './titled-transport.ts'

const client = createClient({ transport: titledTransport(fetchTransport({ url: location.origin })) })
const queries = new QueryClient()

createRoot(document.querySelector('#root')!).render(
  <StrictMode>
    <QueryClientProvider client={queries}>
      <App client={client} agent={readAgentLabel()} />
    </QueryClientProvider>
  </StrictMode>,
)
