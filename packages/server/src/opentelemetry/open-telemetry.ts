import { type Attributes, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api'
import type { Log, LogEntry } from '../telemetry/log-entry.ts'

/**
 * Makes spans of a server's log, for `createApp({ log })`: one a request, named by its method, and one a run, named by its
 * graph, from its start to its end. Needs the package `@opentelemetry/api`; without an SDK that is registered with it,
 * nothing is recorded. Default tracer: the one named `@rivulet/server`.
 */
export function openTelemetry(tracer: Tracer = trace.getTracer('@rivulet/server')): Log {
  const runs = new Map<string, Span>()
  return (entry) => {
    switch (entry.type) {
      case 'request':
        return requestSpan(tracer, entry)
      case 'run.start':
        runs.set(
          keyOf(entry),
          tracer.startSpan(`run ${entry.graph}`, { startTime: entry.at, attributes: runAttributes(entry) }),
        )
        return undefined
      case 'run.end': {
        const span = runs.get(keyOf(entry))
        runs.delete(keyOf(entry))
        return span && endRun(span, entry)
      }
      default:
        return undefined
    }
  }
}

type EntryOf<T extends LogEntry['type']> = Extract<LogEntry, { type: T }>

function requestSpan(tracer: Tracer, { at, ms, method, path, status, tenant }: EntryOf<'request'>): void {
  const attributes: Attributes = {
    'http.request.method': method,
    'url.path': path,
    'http.response.status_code': status,
    ...(tenant !== undefined && { 'rivulet.tenant': tenant }),
  }
  const span = tracer.startSpan(method, { kind: SpanKind.SERVER, startTime: at, attributes })
  if (status >= 500) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(at + ms)
}

function runAttributes({ tenant, thread, run, graph, attempt }: EntryOf<'run.start'>): Attributes {
  return {
    'rivulet.tenant': tenant,
    'rivulet.thread': thread,
    'rivulet.run': run,
    'rivulet.graph': graph,
    'rivulet.attempt': attempt,
  }
}

function endRun(span: Span, { at, status, code, node }: EntryOf<'run.end'>): void {
  span.setAttribute('rivulet.status', status)
  if (node !== undefined) span.setAttribute('rivulet.node', node)
  if (status === 'error') span.setStatus({ code: SpanStatusCode.ERROR, ...(code !== undefined && { message: code }) })
  span.end(at)
}

function keyOf({ tenant, thread, run }: EntryOf<'run.start' | 'run.end'>): string {
  return JSON.stringify([tenant, thread, run])
}
