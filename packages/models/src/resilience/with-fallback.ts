import type { ChatModel, ChatOptions } from '@rivulet/core'
import { messageOfThrown, RivuletError } from '@rivulet/protocol'
import { mayPass } from './failure.ts'
import { inTurn, type Attempt } from './in-turn.ts'

/**
 * Models asked one after the other until one answers. What a model had told before it failed is withdrawn, as with
 * {@link withRetry}. Whatever a model fails with, the next is asked; a stop ends it all, with its reason. When the last one
 * fails too: `PROVIDER_FAILED` that says what each failed with; `cause` is an `AggregateError` of those.
 *
 * `withFallback(model, model.with({ streaming: false }))` falls back from a stream that fails to one call that does not
 * stream. Throws `INVALID_INPUT` without a model.
 */
export function withFallback(...models: readonly ChatModel[]): ChatModel {
  const [first] = models
  if (first === undefined) throw new RivuletError('INVALID_INPUT', 'withFallback needs a model')
  if (models.length === 1) return first
  return inTurn(
    first.name,
    () => fallingBack(models),
    (options: ChatOptions) => withFallback(...models.map((model) => model.with(options))),
  )
}

function fallingBack(models: readonly ChatModel[]): Attempt {
  const errors: unknown[] = []
  return {
    model: models[0]!,
    next(error) {
      errors.push(error)
      const model = models[errors.length]
      return model && (() => model)
    },
    last: () => allFailed(models, errors),
  }
}

function allFailed(models: readonly ChatModel[], errors: readonly unknown[]): RivuletError {
  const each = errors.map((error, i) => `${models[i]?.name}: ${messageOfThrown(error)}`).join('; ')
  return new RivuletError('PROVIDER_FAILED', `all ${models.length} models failed: ${each}`, {
    retryable: errors.some(mayPass),
    cause: new AggregateError(errors, 'what each model failed with'),
  })
}
