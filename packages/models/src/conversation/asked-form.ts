import type { ChatOptions } from '@rivulet/core'
import { isFields, type Fields } from '../read-fields.ts'

/** What a call says about whether to use tools, and about the form of its answer. */
export type AskedForm = Pick<ChatOptions, 'tools' | 'toolChoice' | 'responseFormat'>

/** As OpenAI's chat completions take it. */
export function chatForm(asked: AskedForm): Fields {
  const choice = choiceOf(asked)
  const format = formatOf(asked)
  return {
    ...(choice && { tool_choice: choice.name === undefined ? choice.kind : namedFunction(choice.name) }),
    ...(format && { response_format: { type: 'json_schema', json_schema: format } }),
  }
}

function namedFunction(name: string): Fields {
  return { type: 'function', function: { name } }
}

/** As OpenAI's responses take it. */
export function responsesForm(asked: AskedForm): Fields {
  const choice = choiceOf(asked)
  const format = formatOf(asked)
  return {
    ...(choice && { tool_choice: choice.name === undefined ? choice.kind : { type: 'function', name: choice.name } }),
    ...(format && { text: { format: { type: 'json_schema', ...format, strict: false } } }),
  }
}

/** As Anthropic's messages take it. */
export function messagesForm(asked: AskedForm): Fields {
  const choice = choiceOf(asked)
  const format = formatOf(asked)
  const kind = choice?.kind === 'required' ? 'any' : choice?.kind
  return {
    ...(choice && { tool_choice: choice.name === undefined ? { type: kind } : { type: 'tool', name: choice.name } }),
    ...(format && { output_config: { format: { type: 'json_schema', schema: format.schema } } }),
  }
}

/** As models of the AI SDK take it. */
export function aiSdkForm(asked: AskedForm): Fields {
  const choice = choiceOf(asked)
  const format = formatOf(asked)
  return {
    ...(choice && {
      toolChoice: choice.name === undefined ? { type: choice.kind } : { type: 'tool', toolName: choice.name },
    }),
    ...(format && { responseFormat: { type: 'json', ...format } }),
  }
}

/** As `bindTools` of LangChain's models takes it. */
export function langChainForm(asked: AskedForm): Fields {
  const choice = choiceOf(asked)
  return choice === undefined ? {} : { tool_choice: choice.name ?? (choice.kind === 'required' ? 'any' : choice.kind) }
}

/** Providers refuse a choice among no tools. */
function choiceOf({ tools = [], toolChoice }: AskedForm): { kind: string; name?: string } | undefined {
  if (tools.length === 0 || toolChoice === undefined) return undefined
  return typeof toolChoice === 'string' ? { kind: toolChoice } : { kind: 'tool', name: toolChoice.name }
}

function formatOf({ responseFormat }: AskedForm): { name: string; schema: Fields } | undefined {
  if (responseFormat === undefined || !isFields(responseFormat.jsonSchema)) return undefined
  const { $schema: _, ...schema } = responseFormat.jsonSchema
  return { name: responseFormat.name, schema }
}
