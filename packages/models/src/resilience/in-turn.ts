import { callSignal, type ChatModel, type ChatOptions, type MessageChunk, type MessagesInput } from '@rivulet/core'

/** Which model is asked, and which one after it fails. Made anew for each call. */
export interface Attempt {
  readonly model: ChatModel
  /** What comes after this failure: the model that is asked next, or nothing. Decides at once; waiting is the answer's. */
  next(error: unknown): (() => ChatModel | Promise<ChatModel>) | undefined
  /** What to throw when nobody comes after this failure. Default: the failure itself. */
  last?(error: unknown): unknown
}

/**
 * A model that asks one model after another until one answers. What those that failed had told is withdrawn, unless
 * nobody comes after them. Rejects with what the last one failed with.
 */
export function inTurn(
  name: string,
  begin: (options: ChatOptions) => Attempt,
  withMore: (options: ChatOptions) => ChatModel,
): ChatModel {
  return {
    name,
    stream: (messages, options = {}) => streamInTurn(begin(options), messages, options),
    invoke: async (messages, options = {}) => {
      const attempt = begin(options)
      for (let { model } = attempt; ;) {
        const decision = decide(attempt, options)
        try {
          return await model.invoke(messages, { ...options, withdrawOn: decision.withdrawOn })
        } catch (error) {
          const next = decision.after(error)
          if (next === undefined) throw decision.last(error)
          model = await next()
        }
      }
    },
    with: withMore,
  }
}

async function* streamInTurn(
  attempt: Attempt,
  messages: MessagesInput,
  options: ChatOptions,
): AsyncGenerator<MessageChunk, void, undefined> {
  for (let { model } = attempt; ;) {
    const decision = decide(attempt, options)
    let said = false
    try {
      for await (const chunk of model.stream(messages, { ...options, withdrawOn: decision.withdrawOn })) {
        said = true
        yield chunk
      }
      return
    } catch (error) {
      const next = decision.after(error)
      if (next === undefined) throw decision.last(error)
      if (said) yield { restart: true }
      model = await next()
    }
  }
}

/**
 * Decides once about a failure, whoever asks first: the call itself, which has something to withdraw, or we, who hear of
 * it afterwards and also of calls that know nothing of withdrawing.
 */
function decide(attempt: Attempt, options: ChatOptions) {
  let decided: { next: (() => ChatModel | Promise<ChatModel>) | undefined } | undefined
  const isStopped = () => callSignal(options)?.aborted === true
  const after = (error: unknown) => {
    decided ??= { next: isStopped() ? undefined : attempt.next(error) }
    return decided.next
  }
  return {
    after,
    withdrawOn: (error: unknown) => after(error) !== undefined || options.withdrawOn?.(error) === true,
    last: (error: unknown) => (isStopped() ? error : (attempt.last?.(error) ?? error)),
  }
}
