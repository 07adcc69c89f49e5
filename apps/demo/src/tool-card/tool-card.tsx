import type { ReactNode } from 'react'
import { calculation } from '../../contract/calculation.ts'
import { csvAnalysis } from '../../contract/csv-analysis.ts'
import { searchResult } from '../../contract/search-result.ts'
import { Icon, type IconName } from '../icons.tsx'
import { CallArguments } from './call-arguments.tsx'
import type { CallStatus } from './call-status.ts'
import { CsvColumns } from './csv-columns.tsx'
import { ProgressBar } from './progress-bar.tsx'
import { readProgress } from './read-progress.ts'
import { SearchHits } from './search-hits.tsx'

/** One call of a tool as it stands. */
export interface ToolCardProps {
  name: string
  /** JSON text, possibly not complete yet. */
  args: string
  status: CallStatus
  /** Last thing the tool wrote about its progress. */
  progress: unknown
  output: unknown
  /** Why it failed, in words. */
  error: string | undefined
}

/** A tool call: what it was asked, how far it is, and what it found. */
export function ToolCard({ name, args, status, progress, output, error }: ToolCardProps): ReactNode {
  const { title, icon } = tools.get(name) ?? { title: name, icon: 'tool' }
  const far = status === 'running' ? readProgress(progress) : undefined
  return (
    <section className="tool-card" data-tool={name} data-state={status} aria-label={`${title}: ${states[status]}`}>
      <header className="tool-head">
        <Icon name={icon} />
        <h3 className="tool-name">{title}</h3>
        <span className="tool-state">{states[status]}</span>
      </header>
      <div className="tool-body">
        <CallArguments args={args} />
        {far && <ProgressBar {...far} />}
        {status === 'error' && <p className="tool-problem">{error ?? 'It failed.'}</p>}
        {status === 'done' && <ToolResult name={name} output={output} />}
      </div>
    </section>
  )
}

const tools: ReadonlyMap<string, { title: string; icon: IconName }> = new Map([
  ['search_docs', { title: 'Search the documentation', icon: 'book' }],
  ['analyze_csv', { title: 'Analyze a CSV file', icon: 'chart' }],
  ['calculate', { title: 'Calculate', icon: 'sum' }],
])

const states: Readonly<Record<CallStatus, string>> = {
  pending: 'waiting',
  running: 'running',
  done: 'done',
  error: 'failed',
  cut: 'stopped',
}

function ToolResult({ name, output }: { name: string; output: unknown }): ReactNode {
  if (name === 'calculate') {
    const result = calculation.safeParse(output)
    if (result.success)
      return 'problem' in result.data ? <Problem text={result.data.problem} /> : <Value text={result.data.value} />
  }
  if (name === 'search_docs') {
    const result = searchResult.safeParse(output)
    if (result.success) return <SearchHits {...result.data} />
  }
  if (name === 'analyze_csv') {
    const result = csvAnalysis.safeParse(output)
    if (result.success)
      return 'problem' in result.data ? <Problem text={result.data.problem} /> : <CsvColumns {...result.data} />
  }
  return <pre className="code-block">{typeof output === 'string' ? output : JSON.stringify(output, null, 2)}</pre>
}

function Problem({ text }: { text: string }): ReactNode {
  return <p className="tool-problem">{text}</p>
}

function Value({ text }: { text: string }): ReactNode {
  return <p className="tool-value">{text}</p>
}
