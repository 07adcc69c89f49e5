/** A tool to call, with its arguments. */
export type PlannedCall =
  | { name: 'calculate'; args: { expression: string } }
  | { name: 'search_docs'; args: { query: string; skip?: number } }
  | { name: 'analyze_csv'; args: { file?: string; columns?: string[] } }
