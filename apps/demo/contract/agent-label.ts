/** What the page says about who answers. */
export interface AgentLabel {
  name: string
  /** One sentence more. */
  note: string
}

/** Name of the `meta` element in which the server puts the label, as JSON, into the page. */
export const AGENT_LABEL_META = 'agent-label'
