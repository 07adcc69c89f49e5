import { csvQuestion } from './csv-question.ts'
import { docsQuestions } from './docs-questions.ts'
import { findExpressions } from './expressions.ts'
import { followUp } from './follow-up.ts'
import { escapeMarkdown } from './escape-markdown.ts'
import type { PlannedCall } from './planned-call.ts'
import { notUnderstood, smallTalk } from './small-talk.ts'
import type { Turn } from './turn.ts'

/** What to do about a turn: say something at once, or announce calls in a sentence and make them. */
export type Plan = { kind: 'say'; text: string } | { kind: 'call'; lead: string; calls: PlannedCall[] }

/** Routes what a person typed: arithmetic to `calculate`, files to `analyze_csv`, questions to `search_docs`. */
export function planTurn(turn: Turn): Plan {
  const csv = csvQuestion(turn)
  if (csv?.kind === 'known') return { kind: 'say', text: csv.text }

  const small = turn.attached.length === 0 ? smallTalk(turn.text) : undefined
  if (small !== undefined) return { kind: 'say', text: small }

  const calls = plannedCalls(turn, csv?.kind === 'analyze' ? csv : undefined)
  if (calls.length > 0) return { kind: 'call', lead: leadOf(calls), calls }
  if (csv?.kind === 'no-file') {
    return {
      kind: 'say',
      text: 'There is no file in this chat yet. Drop a CSV file on the page, or pick one with the paperclip.',
    }
  }
  return { kind: 'say', text: notUnderstood() }
}

function plannedCalls(turn: Turn, csv: { file?: string; columns?: string[] } | undefined): PlannedCall[] {
  const { expressions, rest } = findExpressions(turn.text)
  const continued = expressions.length === 0 ? followUp(turn) : undefined
  if (continued) return [continued]
  // What is about the file is not about the documentation, although both may speak of rows, logs or errors.
  const queries = csv ? [] : docsQuestions(rest)
  return [
    ...expressions.map((expression): PlannedCall => ({ name: 'calculate', args: { expression } })),
    ...(csv ? [analysis(csv)] : []),
    ...queries.map((query): PlannedCall => ({ name: 'search_docs', args: { query } })),
  ]
}

function analysis({ file, columns }: { file?: string; columns?: string[] }): PlannedCall {
  return { name: 'analyze_csv', args: { ...(file !== undefined && { file }), ...(columns && { columns }) } }
}

function leadOf(calls: readonly PlannedCall[]): string {
  const steps = calls.map(announce)
  const last = steps.at(-1)!
  return `I will ${steps.length === 1 ? last : `${steps.slice(0, -1).join(', ')} and ${last}`}.`
}

function announce(call: PlannedCall): string {
  if (call.name === 'calculate') return `work out \`${call.args.expression}\``
  if (call.name === 'search_docs') {
    return `${call.args.skip ? 'look further' : 'search the documentation'} for ${emphasis(call.args.query)}`
  }
  const { columns, file = 'your file' } = call.args
  return `measure ${columns ? columns.map(emphasis).join(', ') : 'each column'} of ${emphasis(file)}`
}

function emphasis(text: string): string {
  return `*${escapeMarkdown(text)}*`
}
