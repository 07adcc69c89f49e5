import type { ReactNode } from 'react'
import type { AgentLabel } from '../../contract/agent-label.ts'

/** See {@link EmptyChat}. */
export interface EmptyChatProps {
  /** Who answers; left out when nothing is known of it. */
  agent: AgentLabel | undefined
  onAsk: (text: string) => void
  onSample: () => void
}

/** What a new chat shows: what this is, and examples to begin with. */
export function EmptyChat({ agent, onAsk, onSample }: EmptyChatProps): ReactNode {
  return (
    <section className="empty" aria-labelledby="empty-title">
      <div>
        <h2 id="empty-title">What shall we look into?</h2>
        <p>
          Ask about this project, hand over a CSV file, or have something worked out. Text, tool calls and progress
          arrive as they happen.
        </p>
        {agent && (
          <p>
            <strong>{agent.name}.</strong> {agent.note}
          </p>
        )}
      </div>
      <ul className="examples">
        <li>
          <button type="button" className="example" onClick={onSample}>
            <strong>Analyze a sample CSV</strong>
            <span>2,920 readings of river gauges, with a histogram for each column</span>
          </button>
        </li>
        {examples.map(({ text, note }) => (
          <li key={text}>
            <button type="button" className="example" onClick={() => onAsk(text)}>
              <strong>{text}</strong>
              <span>{note}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  )
}

const examples = [
  { text: 'How do I resume a stream?', note: 'Searches and quotes this repository’s documentation' },
  { text: 'What is 2^10, and how do I stop a run?', note: 'Two tools for one question' },
  { text: '12 inch to cm', note: 'Calculates with units' },
]
