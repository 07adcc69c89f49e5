import { z } from 'zod'

/** What `calculate` answers: the value as text with its unit, or in one sentence why there is none. */
export const calculation = z.union([
  z.object({ expression: z.string(), value: z.string() }),
  z.object({ expression: z.string(), problem: z.string() }),
])

/** See {@link calculation}. */
export type Calculation = z.infer<typeof calculation>
