import { RivuletError, toJson } from '@rivulet/protocol'
import { invalid } from './fields.ts'

/** Bounds of a request's body. */
export interface BodyLimits {
  /** Bytes, after decompression. */
  bodyBytes: number
  /** How deep objects and lists may be nested. */
  jsonDepth: number
}

const JSON_TYPE = /^application\/(?:[\w.-]{1,64}\+)?json\s{0,8}(?:;|$)/i
/** What a form can send to another site without the browser asking it first. */
const FORM_TYPE = /^(?:text\/plain|multipart\/form-data|application\/x-www-form-urlencoded)\s{0,8}(?:;|$)/i

/**
 * The JSON in a request's body, which may be compressed with gzip; `undefined` when there is none. What comes out has no
 * `__proto__` keys. Refused before it is parsed: what a form of another site could send (`FORBIDDEN`), other types and
 * encodings (`UNSUPPORTED_MEDIA_TYPE`), a body over the limits (`LIMIT_EXCEEDED`). Throws `INVALID_INPUT` for what is not
 * JSON.
 */
export async function readBody(request: Request, limits: BodyLimits): Promise<unknown> {
  const length = request.headers.get('content-length')
  if (length !== null && Number(length) > limits.bodyBytes) throw tooLarge(limits)
  const type = request.headers.get('content-type')
  if (type !== null && !JSON_TYPE.test(type)) throw wrongType(type)
  const text = await readText(decompressed(request), limits)
  if (text === '') return undefined
  if (type === null) throw wrongType('none')
  checkJsonDepth(text, limits.jsonDepth)
  try {
    return toJson(JSON.parse(text))
  } catch (cause) {
    throw new RivuletError('INVALID_INPUT', 'the body is not JSON', { cause })
  }
}

function wrongType(type: string): RivuletError {
  const code = FORM_TYPE.test(type) ? 'FORBIDDEN' : 'UNSUPPORTED_MEDIA_TYPE'
  return new RivuletError(code, `the content type must be application/json, not ${type.slice(0, 100)}`)
}

function decompressed({ headers, body }: Request): ReadableStream<Uint8Array> | null {
  const encoding = headers.get('content-encoding')?.toLowerCase() ?? 'identity'
  if (body === null || encoding === 'identity') return body
  if (encoding === 'gzip') return body.pipeThrough(new DecompressionStream('gzip'))
  throw new RivuletError('UNSUPPORTED_MEDIA_TYPE', 'the body may be compressed with gzip, and in no other way')
}

async function readText(body: ReadableStream<Uint8Array> | null, limits: BodyLimits): Promise<string> {
  if (body === null) return ''
  const decoder = new TextDecoder()
  const reader = body.getReader()
  let bytes = 0
  let text = ''
  for (;;) {
    const { done, value } = await reader.read().catch(unreadable)
    if (done) return text + decoder.decode()
    bytes += value.byteLength
    if (bytes > limits.bodyBytes) {
      // What a sender that is cut off in the middle thinks of it is no news.
      reader.cancel().catch(() => undefined)
      throw tooLarge(limits)
    }
    text += decoder.decode(value, { stream: true })
  }
}

function unreadable(cause: unknown): never {
  throw new RivuletError('INVALID_INPUT', 'the body broke off, or is not what its content-encoding says', { cause })
}

function tooLarge({ bodyBytes }: BodyLimits): RivuletError {
  return new RivuletError('LIMIT_EXCEEDED', `the body is larger than ${bodyBytes} bytes`)
}

const QUOTE = 34
const BACKSLASH = 92

/** Throws `INVALID_INPUT` for JSON nested too deep. Counts brackets outside of strings; whether they match is for the parser. */
export function checkJsonDepth(text: string, maxDepth: number): void {
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
