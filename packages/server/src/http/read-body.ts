import { RivuletError, toJson } from '@rivulet/protocol'
import { invalid } from './fields.ts'

/** Bounds of a request's body. */
export interface BodyLimits {
  /** Bytes. */
  bodyBytes: number
  /** How deep objects and lists may be nested. */
  jsonDepth: number
}

/**
 * The JSON in a request's body; `undefined` when there is none. Refused before it is parsed: a content type other than
 * JSON (which is all that a form of another site can send), a compressed body, one over the limits. What comes out has
 * no `__proto__` keys. Throws `INVALID_INPUT` or `LIMIT_EXCEEDED`.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<unknown> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > limits.bodyBytes) throw tooLarge(limits)
  const type = request.headers.get('content-type')
  if (type !== null && !/^application\/(?:[\w.-]+\+)?json(?:\s*;|$)/i.test(type)) {
    throw invalid(`the content type must be application/json, not ${type.slice(0, 100)}`)
  }
  const encoding = request.headers.get('content-encoding')
  if (encoding !== null && encoding !== 'identity') throw invalid('the body must not be compressed')
  const text = await readText(request, limits)
  if (text === '') return undefined
  if (type === null) throw invalid('the content type must be application/json')
  checkDepth(text, limits.jsonDepth)
  try {
    return toJson(JSON.parse(text))
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', 'the body is not JSON', { cause })
  }
}

async function readText(request: Request, limits: BodyLimits): Promise<string> {
  if (request.body === null) return ''
  const decoder = new TextDecoder()
  const reader = request.body.getReader()
  let bytes = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > limits.bodyBytes) {
      await reader.cancel()
      throw tooLarge(limits)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function tooLarge({ bodyBytes }: BodyLimits): RivuletError {
  return new RivuletError('LIMIT_EXCEEDED', `the body is larger than ${bodyBytes} bytes`)
}

const QUOTE = 34
const BACKSLASH = 92

/** Counts brackets outside of strings; whether they match is for the parser to say. */
function checkDepth(text: string, maxDepth: number): void {
  let depth = 0
  let quoted = false
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === QUOTE) quoted = !quoted
    else if (quoted) {
      if (code === BACKSLASH) i++
    } else if (code === 91 || code === 123) {
      if (++depth > maxDepth) throw invalid(`the body is nested deeper than ${maxDepth} levels`)
    } else if (code === 93 || code === 125) depth--
  }
}
