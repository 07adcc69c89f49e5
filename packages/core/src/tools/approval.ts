import { RivuletError, type ToolCall } from '@rivulet/protocol/model'
import type { NodeContext } from '../graph/node-context.ts'
import type { StandardResult, StandardSchema } from '../state/standard-schema.ts'

/** What a person may decide about a call: let it run, run it with other arguments, or not at all. */
export type Decision = 'approve' | 'edit' | 'reject'

/** Which calls of a tool wait for a person, and what they may decide. */
export interface ApprovalPolicy {
  /** Default: all three. */
  allow?: readonly Decision[]
  /** A sentence for the person, or what makes one of the arguments. */
  message?: string | ((args: unknown) => string)
  /** Whether this call waits, by its arguments. Must answer the same when asked again. Default: every call. */
  when?: (args: unknown) => boolean | Promise<boolean>
}

/** Tools whose calls wait for a person: all, some by name, or by name with a policy. */
export type InterruptOn = true | readonly string[] | Readonly<Record<string, boolean | ApprovalPolicy>>

/** The question: the value of the interrupt that waits for a decision about one call. */
export interface ApprovalRequest {
  readonly type: 'approval'
  readonly toolCall: { readonly id: string; readonly name: string; readonly args: unknown }
  readonly allow: readonly Decision[]
  readonly message?: string
}

/** The answer. `true` approves, `false` rejects; `reason` is what the model reads. */
export type ApprovalAnswer =
  | boolean
  | { readonly type: 'approve' }
  | { readonly type: 'edit'; readonly args: unknown }
  | { readonly type: 'reject'; readonly reason?: string | undefined }

/** A decision as it was made. */
export type Decided = Exclude<ApprovalAnswer, boolean>

const EVERY_DECISION: readonly Decision[] = ['approve', 'edit', 'reject']

/** The policy that holds a tool's calls; `undefined` when they run unasked. */
export function policyFor(interruptOn: InterruptOn | undefined, tool: string): ApprovalPolicy | undefined {
  if (interruptOn === undefined) return undefined
  if (interruptOn === true) return {}
  if (isList(interruptOn)) return interruptOn.includes(tool) ? {} : undefined
  const policy = Object.hasOwn(interruptOn, tool) ? interruptOn[tool] : undefined
  if (policy === true) return {}
  return policy === false ? undefined : policy
}

/** The tools whose calls wait by name. */
export function namedBy(interruptOn: InterruptOn | undefined): readonly string[] {
  if (interruptOn === undefined || interruptOn === true) return []
  if (isList(interruptOn)) return interruptOn
  return Object.entries(interruptOn).flatMap(([name, policy]) => (policy === false ? [] : [name]))
}

function isList(value: InterruptOn): value is readonly string[] {
  return Array.isArray(value)
}

/**
 * Asks a person about a call and answers what they decided. Leaves the node by throwing until there is an answer that is
 * a decision, and one that is allowed.
 */
export async function decide(
  { id, name }: ToolCall,
  args: unknown,
  { allow = EVERY_DECISION, message, when }: ApprovalPolicy,
  ctx: NodeContext,
): Promise<Decided> {
  if (when !== undefined && !(await when(args))) return { type: 'approve' }
  const said = typeof message === 'function' ? message(args) : message
  const request: ApprovalRequest = {
    type: 'approval',
    toolCall: { id, name, args },
    allow,
    ...(said !== undefined && { message: said }),
  }
  return ctx.interrupt(request, { schema: answerSchema(name, allow) })
}

/** Reads an answer; says itself as JSON Schema, so that a page can check what it sends. */
function answerSchema(tool: string, allow: readonly Decision[]): StandardSchema<unknown, Decided> & SaysJsonSchema {
  return {
    '~standard': { version: 1, vendor: 'rivulet', validate: (value) => read(value, tool, allow) },
    toJSONSchema: () => ({ anyOf: [...allow.map((one) => DECISIONS[one]), ...booleans(allow)] }),
  }
}

interface SaysJsonSchema {
  toJSONSchema(): unknown
}

function booleans(allow: readonly Decision[]): unknown[] {
  const values = [...(allow.includes('approve') ? [true] : []), ...(allow.includes('reject') ? [false] : [])]
  return values.length === 0 ? [] : [{ enum: values }]
}

const DECISIONS: Readonly<Record<Decision, unknown>> = {
  approve: { type: 'object', properties: { type: { const: 'approve' } }, required: ['type'] },
  edit: { type: 'object', properties: { type: { const: 'edit' }, args: {} }, required: ['type', 'args'] },
  reject: {
    type: 'object',
    properties: { type: { const: 'reject' }, reason: { type: 'string' } },
    required: ['type'],
  },
}

function read(value: unknown, tool: string, allow: readonly Decision[]): StandardResult<Decided> {
  const decided = decisionIn(value)
  if (decided !== undefined && allow.includes(decided.type)) return { value: decided }
  const how = `a call of tool "${tool}" may be answered with ${allow.map((type) => `{ type: "${type}" }`).join(', ')}`
  return { issues: [{ message: how }] }
}

function decisionIn(value: unknown): Decided | undefined {
  if (typeof value === 'boolean') return { type: value ? 'approve' : 'reject' }
  if (typeof value !== 'object' || value === null) return undefined
  const { type, args, reason } = value as { type?: unknown; args?: unknown; reason?: unknown }
  if (type === 'approve') return { type }
  if (type === 'edit') return args === undefined ? undefined : { type, args }
  if (type !== 'reject' || (reason !== undefined && typeof reason !== 'string')) return undefined
  return { type, reason }
}

/** Why a call that a person refused has no output. */
export function rejection({ name }: ToolCall, reason: string | undefined): RivuletError {
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`
  return new RivuletError('FORBIDDEN', `a person rejected this call of tool "${name}"${why}`)
}
