import { RivuletError, type RunEvent, type WireError } from '@rivulet/protocol'

/**
 * The event as strangers may see it. What a node or a tool threw was written for whoever runs the server, and may hold a
 * path, a query or a key: of such an error only the code and the place are told. `onError` is told the rest, once, where
 * the run ends with it.
 */
export function redacted(event: RunEvent, onError: (error: RivuletError) => void): RunEvent {
  switch (event.type) {
    case 'run.end': {
      const { error } = event
      if (error?.code === 'NODE_FAILED') onError(new RivuletError(error.code, error.message, error))
      return error === undefined ? event : { ...event, error: safe(error) }
    }
    case 'task.end':
    case 'tool.end':
      return event.error === undefined ? event : { ...event, error: safe(event.error) }
    case 'error':
      return { ...event, error: safe(event.error) }
    default:
      return event
  }
}

function safe(error: WireError): WireError {
  if (error.code !== 'NODE_FAILED') return error
  return { ...error, message: error.node === undefined ? 'it failed' : `node "${error.node}" failed` }
}
