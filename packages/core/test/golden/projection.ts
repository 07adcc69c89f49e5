/** Both runtimes' chunks in one form: what a reader can rely on, without ids' spelling and the library's own fields. */

type Json = unknown
type Rec = Record<string, unknown>

const isRecord = (value: unknown): value is Rec => typeof value === 'object' && value !== null && !Array.isArray(value)

const ROLES: Record<string, string> = {
  HumanMessage: 'user',
  AIMessage: 'assistant',
  AIMessageChunk: 'assistant',
  SystemMessage: 'system',
  ToolMessage: 'tool',
}

/** Names ids in order of first sight, so that only the pattern of equal ids is compared. */
export function makeProjection(): (mode: string, chunk: Json) => Json {
  const ids = new Map<string, string>()
  const idName = (id: unknown): string | undefined => {
    if (typeof id !== 'string') return undefined
    if (!ids.has(id)) ids.set(id, `id${ids.size + 1}`)
    return ids.get(id)
  }

  const message = (m: Rec): Rec => {
    const calls = (m['toolCalls'] ?? m['tool_calls'] ?? []) as Rec[]
    return {
      role: m['role'] ?? ROLES[String(m['$msg'])],
      id: idName(m['id']),
      content: m['content'],
      ...(calls.length > 0 && { calls: calls.map((call) => ({ id: call['id'], name: call['name'] })) }),
      ...((m['toolCallId'] ?? m['tool_call_id']) !== undefined && { answers: m['toolCallId'] ?? m['tool_call_id'] }),
    }
  }

  const isMessage = (m: Rec) => '$msg' in m || ('role' in m && 'content' in m)
  const isRemoval = (m: Rec) => m['$msg'] === 'RemoveMessage' || m['type'] === 'remove'

  const plain = (value: Json): Json => {
    if (Array.isArray(value)) return value.map(plain)
    if (!isRecord(value)) return value
    if (isRemoval(value)) return { remove: idName(value['id']) }
    if (isMessage(value)) return message(value)
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
  }

  const interrupts = (list: Json) =>
    ((list ?? []) as Rec[]).map((one) => ({ id: idName(one['id']), value: one['value'] }))

  const task = (chunk: Rec): Rec => {
    if ('input' in chunk) return { name: chunk['name'], input: plain(chunk['input']), id: idName(chunk['id']) }
    const error = chunk['error'] as Rec | null
    return {
      name: chunk['name'],
      id: idName(chunk['id']),
      result: plain(chunk['result']),
      error: error === null ? null : { message: error['message'] },
      interrupts: interrupts(chunk['interrupts']),
    }
  }

  const checkpoint = (chunk: Rec): Rec => {
    const config = (c: Json) => (((c as Rec | undefined)?.['configurable'] ?? {}) as Rec)['checkpoint_id']
    const isTheirs = 'config' in chunk
    const parent = isTheirs
      ? isRecord(chunk['parentConfig'])
        ? config(chunk['parentConfig'])
        : undefined
      : chunk['parentId']
    const { source, step } = chunk['metadata'] as Rec
    return {
      parent: idName(parent),
      id: idName(isTheirs ? config(chunk['config']) : chunk['id']),
      values: plain(chunk['values']),
      next: chunk['next'],
      source,
      step,
    }
  }

  /** Pieces of tool calls: which call, and what is new of it. */
  const pieces = (m: Rec): Rec[] =>
    ((m['toolCallChunks'] ?? m['tool_call_chunks'] ?? []) as Rec[]).map(({ index, id, name, args }) => ({
      index,
      id,
      name,
      args,
    }))

  const streamed = ([m, meta]: [Rec, Rec]): Json => ({
    id: idName(m['id']),
    content: m['content'],
    calls: pieces(m),
    answers: m['toolCallId'] ?? m['tool_call_id'],
    node: meta['langgraph_node'],
    step: meta['langgraph_step'],
    tags: ((meta['tags'] ?? []) as string[]).filter((tag) => !/^(graph|seq):step:/.test(tag)),
    ...(meta['rm'] !== undefined && { rm: meta['rm'] }),
  })

  /** There inputs are JSON text and outputs messages; here both are values. */
  const toolEvent = ({ event, toolCallId, name, ...rest }: Rec): Rec => {
    const { input, output, data } = rest
    return {
      event,
      toolCallId,
      name,
      input: typeof input === 'string' ? (JSON.parse(input) as Json) : input,
      output: isRecord(output) && '$msg' in output ? output['content'] : output,
      data,
    }
  }

  return (mode, chunk) => {
    switch (mode) {
      case 'messages':
        return streamed(chunk as [Rec, Rec])
      case 'tools':
        return toolEvent(chunk as Rec)
      case 'tasks':
        return task(chunk as Rec)
      case 'checkpoints':
        return checkpoint(chunk as Rec)
      case 'debug': {
        const { step, type, payload } = chunk as { step: number; type: string; payload: Rec }
        return { step, type, payload: type === 'checkpoint' ? checkpoint(payload) : task(payload) }
      }
      case 'updates':
        return isRecord(chunk) && '__interrupt__' in chunk
          ? { __interrupt__: interrupts(chunk['__interrupt__']) }
          : plain(chunk)
      default:
        return plain(chunk)
    }
  }
}
