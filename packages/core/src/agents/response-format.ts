import { messageOfThrown, RivuletError, type Message, type MessageInput } from '@rivulet/protocol/model'
import type { ChatOptions, ToolSpec } from '../models/chunk.ts'
import { describeIssues, isStandardSchema, jsonSchemaOf, type StandardSchema } from '../state/standard-schema.ts'
import { asksForTools } from '../tools/open-calls.ts'

/** What an agent's final answer is to be, as a value. */
export interface ResponseFormat<Output> {
  /** Checks and converts the answer. */
  readonly schema: StandardSchema<unknown, Output>
  /** What it is called for the model. Default `"final_answer"`. */
  readonly name?: string
  /** What it is for, for the model. */
  readonly description?: string
  /** JSON Schema of the answer, where the schema cannot say it itself. */
  readonly jsonSchema?: unknown
  /**
   * `tool` (default): the model ends by calling a tool of this name, which every model that calls tools can. `provider`:
   * the provider is asked for an answer of that form, and its text is read as JSON.
   */
  readonly strategy?: 'tool' | 'provider'
}

/** A format with nothing left out. */
export interface FinalFormat {
  readonly schema: StandardSchema
  readonly name: string
  readonly strategy: 'tool' | 'provider'
  readonly spec: ToolSpec
}

/** What a model's answer means to an agent with a format. */
export type Reading =
  /** It asks for tools first. */
  | { readonly kind: 'calls' }
  | { readonly kind: 'final'; readonly value: unknown; readonly answers: readonly MessageInput[] }
  /** It is not what was wanted; `told` says so to the model. */
  | { readonly kind: 'wrong'; readonly why: string; readonly told: readonly MessageInput[] }

/** Reads the option in either form. Throws `INVALID_GRAPH` when the name is that of a tool. */
export function finalFormat(given: ResponseFormat<unknown> | StandardSchema, tools: readonly ToolSpec[]): FinalFormat {
  const {
    schema,
    name = 'final_answer',
    description = 'Gives the final answer. Call it once, when nothing else is left to do.',
    jsonSchema = jsonSchemaOf(schema),
    strategy = 'tool',
  } = isStandardSchema(given) ? { schema: given } : given
  if (tools.some((tool) => tool.name === name))
    throw new RivuletError(
      'INVALID_GRAPH',
      `responseFormat and a tool are both called "${name}": name one of them anew`,
    )
  return { schema, name, strategy, spec: { name, description, schema, jsonSchema } }
}

/** What the model is asked for besides the conversation. */
export function askingFor(format: FinalFormat | undefined, tools: readonly ToolSpec[]): ChatOptions {
  if (format === undefined) return tools.length === 0 ? {} : { tools }
  if (format.strategy === 'tool') return { tools: [...tools, format.spec], toolChoice: 'required' }
  const { name, spec } = format
  return { ...(tools.length > 0 && { tools }), responseFormat: { name, jsonSchema: spec.jsonSchema } }
}

/** Reads an answer by its format. */
export async function readFinal(format: FinalFormat, answer: Message): Promise<Reading> {
  if (format.strategy === 'provider') {
    if (asksForTools(answer)) return { kind: 'calls' }
    const checked = await check(format.schema, answer.content)
    if ('value' in checked) return { kind: 'final', value: checked.value, answers: [] }
    const content = `That is not the answer that is wanted: ${checked.why}. Answer again, with JSON only.`
    return { kind: 'wrong', why: checked.why, told: [{ role: 'user', content }] }
  }
  const { toolCalls = [] } = answer
  const final = toolCalls.find(({ name }) => name === format.name)
  if (final === undefined && toolCalls.length > 0) return { kind: 'calls' }
  if (final === undefined) {
    const why = `it was not given by calling "${format.name}"`
    return { kind: 'wrong', why, told: [{ role: 'user', content: `Give your answer by calling "${format.name}".` }] }
  }
  const checked = await check(format.schema, final.args)
  const told = (id: string) => {
    if (id !== final.id) return 'Not called: the final answer was given beside it.'
    return 'value' in checked
      ? 'The final answer was taken.'
      : `Error: ${checked.why}. Call it again with what is right.`
  }
  const answers = toolCalls.map(({ id, name }): MessageInput => ({
    role: 'tool',
    content: told(id),
    toolCallId: id,
    name,
  }))
  if ('value' in checked) return { kind: 'final', value: checked.value, answers }
  return { kind: 'wrong', why: checked.why, told: answers }
}

async function check(schema: StandardSchema, text: string): Promise<{ value: unknown } | { why: string }> {
  let given: unknown
  try {
    given = JSON.parse(withoutFence(text))
  } catch (error) {
    return { why: `it is no JSON: ${messageOfThrown(error)}` }
  }
  const result = await schema['~standard'].validate(given)
  return result.issues === undefined ? { value: result.value } : { why: describeIssues(result.issues) }
}

/** Models like to put JSON in a Markdown fence. */
function withoutFence(text: string): string {
  return /^\s*```(?:json)?\s*\n([\s\S]*?)\n\s*```\s*$/.exec(text)?.[1] ?? text
}
