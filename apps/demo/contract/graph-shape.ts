import { z } from 'zod'

/** Ids under which a graph's description names its beginning and its end. */
export const GRAPH_START = '__start__'
export const GRAPH_END = '__end__'

/** A graph's nodes and edges, as `graph.describe()` gives them; the page needs no more of it. */
export const graphShape = z.object({
  name: z.string(),
  nodes: z.array(z.object({ id: z.string() })),
  /** `conditional` edges are taken when a router says so. */
  edges: z.array(
    z.object({
      from: z.string(),
      to: z.string(),
      conditional: z.boolean().optional(),
      label: z.string().optional(),
    }),
  ),
})

/** See {@link graphShape}. */
export type GraphShape = z.infer<typeof graphShape>
