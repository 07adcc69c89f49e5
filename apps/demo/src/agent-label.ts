import { AGENT_LABEL_META, type AgentLabel } from '../contract/agent-label.ts'

/** What the server put into the page about who answers; `undefined` when the page came from elsewhere. */
export function readAgentLabel(): AgentLabel | undefined {
  const content = document.querySelector(`meta[name="${AGENT_LABEL_META}"]`)?.getAttribute('content')
  // Our own server wrote it, from the same type.
  return content ? (JSON.parse(content) as AgentLabel) : undefined
}
