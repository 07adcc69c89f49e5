import type { Message, MessageInput } from '@rivulet/protocol'
import type { NodeContext } from '../graph/node-context.ts'
import type { MessagesInput } from '../models/chat-model.ts'

/**
 * What an agent's model is told before the conversation: text or a message that goes before it, or a function that makes
 * one of the state. A function that answers a list has made the whole conversation for the model.
 */
export type Prompt<State> =
  | string
  | MessageInput
  | ((state: State, ctx: NodeContext) => PromptAnswer | Promise<PromptAnswer>)

/** What a prompt's function may answer. */
export type PromptAnswer = string | MessageInput | readonly (MessageInput | string)[]

/** The conversation as the model is given it. */
export async function promptedWith<State extends { readonly messages: readonly Message[] }>(
  prompt: Prompt<State> | undefined,
  state: State,
  ctx: NodeContext,
): Promise<Exclude<MessagesInput, string>> {
  if (prompt === undefined) return state.messages
  const answer = typeof prompt === 'function' ? await prompt(state, ctx) : prompt
  if (isList(answer)) return answer
  const first: MessageInput = typeof answer === 'string' ? { role: 'system', content: answer } : answer
  return [first, ...state.messages]
}

function isList(answer: PromptAnswer): answer is readonly (MessageInput | string)[] {
  return Array.isArray(answer)
}
