import type { AgentStreamFrame } from '@rivulet/protocol/wires/langgraph'
import { asFields, type Fields, invalid, optionalTexts } from '../http/fields.ts'
import { countIn } from './request.ts'

/** What a reader of the agent streaming protocol wants of a thread. */
export interface AgentFilter {
  readonly channels: readonly string[]
  /** Prefixes of namespaces; a segment without an id stands for all of its node's. Default: all. */
  readonly namespaces?: readonly (readonly string[])[]
  /** How many segments below a prefix are read. Default: any number. */
  readonly depth?: number
}

/** A filter with the place that its reader goes on from. */
export interface AgentInterest {
  readonly filter: AgentFilter
  /** `seq` of the last frame that the reader has. */
  readonly since?: number | undefined
}

const CHANNELS: ReadonlySet<string> = new Set([
  'values',
  'updates',
  'messages',
  'tools',
  'lifecycle',
  'input',
  'checkpoints',
  'tasks',
  'custom',
])
const MAX_CHANNELS = 64
const MAX_NAMESPACES = 256
const MAX_DEPTH = 1000

/** Reads a filter. Throws `INVALID_INPUT` with the field that is wrong. */
export function readFilter(fields: Fields): AgentFilter {
  const channels = optionalTexts(fields, 'channels') ?? []
  const wrong = channels.find((channel) => !CHANNELS.has(channel) && !channel.startsWith('custom:'))
  if (channels.length > MAX_CHANNELS) throw invalid(`channels may name ${MAX_CHANNELS}`)
  if (wrong !== undefined) throw invalid(`channels may name ${[...CHANNELS].join(', ')}, not ${JSON.stringify(wrong)}`)
  const namespaces = namespacesIn(fields['namespaces'] ?? undefined)
  const depth = countIn(fields, 'depth', MAX_DEPTH)
  return { channels, ...(namespaces && { namespaces }), ...(depth !== undefined && { depth }) }
}

function namespacesIn(value: unknown): readonly (readonly string[])[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value) || value.length > MAX_NAMESPACES) throw invalid('namespaces must be a short list of lists')
  return value.map((one: unknown) => optionalTexts({ namespaces: one }, 'namespaces') ?? [])
}

/** A filter as text that a client can keep and hand in again. */
export function filterToken(filter: AgentFilter): string {
  return btoa(encodeURIComponent(JSON.stringify(filter)))
    .replaceAll('+', '-')
    .replaceAll('/', '_')
    .replaceAll('=', '')
}

/** The filter in such a text. Throws `INVALID_INPUT` for what is none. */
export function filterInToken(token: string): AgentFilter {
  let json: unknown
  try {
    json = JSON.parse(decodeURIComponent(atob(token.replaceAll('-', '+').replaceAll('_', '/'))))
  } catch {
    throw invalid('subscriptions must be ids that subscription.subscribe gave')
  }
  return readFilter(asFields(json, 'a subscription'))
}

/** Whether a reader wants a frame that stands at `seq`. */
export function isWanted({ filter, since = -1 }: AgentInterest, frame: AgentStreamFrame, seq: number): boolean {
  return seq > since && passes(filter, frame)
}

function passes({ channels, namespaces = [], depth }: AgentFilter, frame: AgentStreamFrame): boolean {
  if (!isOnChannel(channels, frame)) return false
  const { namespace } = frame.params
  if (namespaces.length === 0) return true
  return namespaces.some(
    (prefix) => isBelow(namespace, prefix) && (depth === undefined || namespace.length - prefix.length <= depth),
  )
}

function isOnChannel(channels: readonly string[], { method, params: { data } }: AgentStreamFrame): boolean {
  const channel = method.startsWith('input.') ? 'input' : method
  if (channels.includes(channel)) return true
  if (channel !== 'custom') return false
  const { name } = asFields(data, 'a custom frame')
  return typeof name === 'string' && channels.includes(`custom:${name}`)
}

function isBelow(namespace: readonly string[], prefix: readonly string[]): boolean {
  return prefix.every((segment, i) => {
    const own = namespace[i]
    return own === segment || (own !== undefined && !segment.includes(':') && own.split(':')[0] === segment)
  })
}
