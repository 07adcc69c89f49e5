import { graphShape, type GraphShape } from '../../contract/graph-shape.ts'

/** What a graph on the server looks like. Throws an `Error` when the server does not tell. */
export async function fetchGraph(name: string, { signal }: { signal: AbortSignal }): Promise<GraphShape> {
  const response = await fetch(`/v1/graphs/${encodeURIComponent(name)}`, { signal })
  if (!response.ok) throw new Error(`The server does not tell what graph ${name} looks like.`)
  return graphShape.parse(await response.json())
}
