/**
 * The types of a graph, gathered in one place so that a page, a client and a server can be typed by the graph alone.
 * They exist for the compiler only: nothing of them is there at run time.
 */
export interface GraphTypes {
  /** What nodes read and `values` shows. */
  state: unknown
  /** What a node may return. */
  update: unknown
  /** What a caller passes in. */
  input: unknown
  /** Names of the nodes, as a union. */
  nodes: string
  /** What nodes write with `ctx.writer`. */
  custom: unknown
  /** What a person is asked. */
  interrupt: unknown
  /** What a person answers. */
  resume: unknown
}

/**
 * Something that carries its {@link GraphTypes} in a property that is never set: a compiled graph, or a type made by
 * hand.
 */
export interface TypedGraph<T extends GraphTypes = GraphTypes> {
  readonly '~types'?: T
}

/** The types of a graph that says nothing about them: records of `unknown`. */
export interface UntypedGraph extends TypedGraph<{
  state: Record<string, unknown>
  update: Record<string, unknown>
  input: Record<string, unknown>
  nodes: string
  custom: unknown
  interrupt: unknown
  resume: unknown
}> {}

/** The {@link GraphTypes} of a graph: `TypesOf<typeof graph>['state']`. */
export type TypesOf<G extends TypedGraph> = G extends TypedGraph<infer T> ? T : never
