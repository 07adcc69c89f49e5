import { z } from 'zod'

const progress = z.object({
  done: z.number().finite(),
  total: z.number().finite(),
  message: z.string().default(''),
})

/** How far a tool is, as it says itself. */
export type Progress = z.infer<typeof progress>

/** The progress in what a tool wrote; `undefined` when it is none. */
export function readProgress(data: unknown): Progress | undefined {
  const parsed = progress.safeParse(data)
  return parsed.success ? parsed.data : undefined
}
