import { http, HttpResponse, type RequestHandler } from 'msw'
import { wireOf } from '../delivery/memory-transport.ts'
import type { DeliveryOptions } from '../delivery/connections.ts'
import type { Source } from '../pump/playable.ts'
import type { Pump } from '../pump/pump.ts'

/** How the handlers are made. */
export interface MswOptions extends DeliveryOptions {
  /** Base address that the page was given, e.g. `https://example.com/agents`. Default: any. */
  url?: string | undefined
}

/**
 * Handlers for msw 2 that answer as our server does, out of a script: `setupServer(...mswHandlers(pump, { url }))`. Give
 * it a pump to hold events back; a script or a tape alone plays by itself. A reset connection reaches the page as a body
 * that fails.
 */
export function mswHandlers(source: Pump | Source, { url = '*', ...options }: MswOptions = {}): RequestHandler[] {
  const wire = wireOf(source, options)
  const answer = async ({ request }: { request: Request }) => {
    try {
      return await wire(request)
    } catch {
      return HttpResponse.error()
    }
  }
  const base = url.replace(/\/+$/, '')
  return [http.all(`${base}/v1/threads`, answer), http.all(`${base}/v1/threads/*`, answer)]
}
