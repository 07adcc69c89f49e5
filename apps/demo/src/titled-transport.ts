import type { Transport } from '@rivulet/client'
import { z } from 'zod'
import { threadTitle } from './threads/thread-title.ts'

/**
 * A transport that gives each new thread a title, the beginning of what was asked first: before a run is started its
 * thread is made under that name. One that exists keeps its own; one that was deleted meanwhile, in another tab for
 * example, begins anew.
 */
export function titledTransport(base: Transport): Transport {
  return {
    ...base,
    async *open(request, options) {
      if (request.start) {
        const metadata = { title: titleOf(request.start.input) }
        await base.threads?.create({ id: request.thread, metadata }, { signal: options.signal })
      }
      yield* base.open(request, options)
    },
  }
}

const question = z.object({
  messages: z
    .array(z.object({ content: z.string(), parts: z.array(z.object({ name: z.string().optional() })).optional() }))
    .min(1),
})

function titleOf(input: unknown): string {
  const [first] = question.safeParse(input).data?.messages ?? []
  return threadTitle(first?.content ?? '', first?.parts?.[0]?.name)
}
