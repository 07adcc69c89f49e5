import { toJson, type Part, type Usage } from '@rivulet/protocol/model'
import type { Citation, MessageChunk, ToolCallChunk } from './chunk.ts'

type Fields = Readonly<Record<string, unknown>>

/**
 * A chunk with only what is well-formed in what a source gave; text stands for itself. Never throws: a provider's slip
 * must not end an answer that goes on.
 */
export function readChunk(given: unknown): MessageChunk {
  if (typeof given === 'string') return { content: given }
  if (!isFields(given)) return {}
  if (isText(given)) return given
  const chunk: Record<string, unknown> = {}
  for (const field in readers) {
    const read = readField(given, field as keyof MessageChunk)
    if (read !== undefined) chunk[field] = read
  }
  return chunk
}

/** Whether a chunk has nothing but text in the fields for it, as nearly all have: it is taken as it is. */
function isText(given: Fields): boolean {
  try {
    for (const field in given) {
      if (field !== 'content' && field !== 'reasoning' && field !== 'id') return false
      if (typeof given[field] !== 'string') return false
    }
    return true
  } catch {
    return false
  }
}

/** What a field holds, if it is that; nothing of what throws when it is looked at. */
function readField(given: Fields, field: keyof MessageChunk): unknown {
  try {
    const value = given[field]
    return value === undefined ? undefined : readers[field](value)
  } catch {
    return undefined
  }
}

const readers: { readonly [K in keyof MessageChunk]-?: (value: unknown) => MessageChunk[K] | undefined } = {
  id: textOf,
  content: textOf,
  reasoning: textOf,
  finishReason: textOf,
  toolCallChunks: (value) => listOf(value, readCall),
  usage: readUsage,
  usageDelta: readUsage,
  metadata: readMetadata,
  parts: (value) => listOf(value, readPart),
  citations: (value) => listOf(value, readCitation),
  restart: (value) => (value === true ? true : undefined),
}

/** Whether a chunk says nothing at all, as what keeps a connection open does. */
export function isEmpty(chunk: MessageChunk): boolean {
  for (const _ in chunk) return false
  return true
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}

function listOf<T>(value: unknown, read: (item: unknown) => T | undefined): readonly T[] | undefined {
  if (!Array.isArray(value)) return undefined
  return value.map(read).filter((item) => item !== undefined)
}

/** A piece without an index belongs to the first call. */
function readCall(value: unknown): ToolCallChunk | undefined {
  if (!isFields(value)) return undefined
  const { index, id, name, args } = value
  return {
    index: typeof index === 'number' && Number.isFinite(index) ? index : 0,
    ...(typeof id === 'string' && id !== '' && { id }),
    ...(typeof name === 'string' && name !== '' && { name }),
    ...(typeof args === 'string' && { args }),
  }
}

function readUsage(value: unknown): Usage | undefined {
  if (!isFields(value)) return undefined
  const counts = Object.entries(value).filter(([name, count]) => isCountName(name) && Number.isFinite(count))
  return counts.length === 0 ? undefined : Object.fromEntries(counts)
}

const counted: Record<keyof Usage, true> = {
  inputTokens: true,
  outputTokens: true,
  totalTokens: true,
  reasoningTokens: true,
  cachedInputTokens: true,
}

function isCountName(name: string): name is keyof Usage {
  return Object.hasOwn(counted, name)
}

function readMetadata(value: unknown): Fields | undefined {
  if (!isFields(value)) return undefined
  const kept = Object.entries(value).flatMap(([key, one]) => {
    // Whoever copies metadata key by key must not be able to change a prototype.
    const json = key === '__proto__' ? undefined : jsonOf(one)
    return json === undefined ? [] : [[key, json] as const]
  })
  return kept.length === 0 ? undefined : Object.fromEntries(kept)
}

/** A copy as JSON; `undefined` for what is none. */
function jsonOf(value: unknown): unknown {
  try {
    return value === undefined ? undefined : toJson(value)
  } catch {
    return undefined
  }
}

function readCitation(value: unknown): Citation | undefined {
  if (!isFields(value)) return undefined
  const { url, title, quote, start, end } = value
  const citation: Citation = {
    ...(typeof url === 'string' && { url }),
    ...(typeof title === 'string' && { title }),
    ...(typeof quote === 'string' && { quote }),
    ...(Number.isSafeInteger(start) && { start: start as number }),
    ...(Number.isSafeInteger(end) && { end: end as number }),
  }
  return Object.keys(citation).length === 0 ? undefined : citation
}

function readPart(value: unknown): Part | undefined {
  if (!isFields(value)) return undefined
  const { kind, text, mediaType, url, data, name } = value
  switch (kind) {
    case 'text':
    case 'reasoning':
      return typeof text === 'string' ? { kind, text } : undefined
    case 'image':
    case 'audio':
    case 'file':
      if (typeof mediaType !== 'string') return undefined
      return {
        kind,
        mediaType,
        ...(typeof url === 'string' && { url }),
        ...(typeof data === 'string' && { data }),
        ...(typeof name === 'string' && { name }),
      }
    case 'data': {
      const json = jsonOf(value['value'])
      return typeof name === 'string' && json !== undefined ? { kind, name, value: json } : undefined
    }
    default:
      return undefined
  }
}
