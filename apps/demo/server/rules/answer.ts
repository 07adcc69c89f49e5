import { calculation } from '../../contract/calculation.ts'
import { csvAnalysis, isNumeric, type Column, type CsvFigures } from '../../contract/csv-analysis.ts'
import { numberText } from '../../contract/number-text.ts'
import { searchResult, type DocsHit, type SearchResult } from '../../contract/search-result.ts'
import { escapeMarkdown } from './escape-markdown.ts'
import { parseJson } from './parse-json.ts'
import type { AnsweredCall } from './turn.ts'

/** Writes a Markdown answer from what the tools found, in the order of the calls. */
export function writeAnswer(results: readonly AnsweredCall[]): string {
  return results.map(answerTo).join('\n\n')
}

function answerTo({ name, content }: AnsweredCall): string {
  const json = parseJson(content)
  const value = calculation.safeParse(json)
  if (value.success && name === 'calculate') return sayValue(value.data)
  const found = searchResult.safeParse(json)
  if (found.success) return sayFound(found.data)
  const figures = csvAnalysis.safeParse(json)
  if (figures.success)
    return 'problem' in figures.data ? escapeMarkdown(figures.data.problem) : sayFigures(figures.data)
  return `The tool \`${name}\` failed: ${escapeMarkdown(content.slice(0, 500))}`
}

function sayValue(result: { expression: string; value: string } | { expression: string; problem: string }): string {
  const expression = `\`${result.expression}\``
  return 'problem' in result ? `${expression}: ${result.problem}` : `${expression} = **${result.value}**`
}

function sayFound({ query, hits, total, skipped }: SearchResult): string {
  const [first, ...others] = hits
  if (!first) {
    const what = skipped > 0 ? 'nothing more' : 'nothing'
    return `I found ${what} about *${escapeMarkdown(query)}* in this repository's documentation. I am rule-based and search for words, so other words may help.`
  }
  const code = first.code ? `\n\n\`\`\`${first.code.language}\n${first.code.text}\n\`\`\`` : ''
  const more = total - skipped - hits.length
  const see = others.length > 0 ? `\n\nSee also ${others.map(place).join(' and ')}.` : ''
  const rest = more > 0 ? ` Say *more* for ${more === 1 ? 'one further section' : `${more} further sections`}.` : ''
  return `From ${place(first)}:\n\n> ${escapeMarkdown(first.quote)}${code}${see || (rest && '\n\n')}${rest}`
}

function place({ file, trail }: DocsHit): string {
  const heading = trail.at(-1)
  return heading === undefined ? `\`${file}\`` : `**${escapeMarkdown(heading)}** in \`${file}\``
}

function sayFigures({ file, rows, columns, ragged, unnamed, omitted }: CsvFigures): string {
  const table = [
    '| column | type | filled | missing | mean | min | max |',
    '|---|---|--:|--:|--:|--:|--:|',
    ...columns.map(tableRow),
  ]
  const remarks = [
    ragged > 0 && `${counted(ragged, 'row')} ${ragged === 1 ? 'has' : 'have'} more or fewer cells than the header.`,
    unnamed && 'The first row holds numbers, so I took it for data and named the columns myself.',
    omitted > 0 && `I left out ${counted(omitted, 'further column')}.`,
    ...columns.map(remarkOn),
  ].filter((remark) => typeof remark === 'string')
  const list = remarks.length > 0 ? `\n\n${remarks.map((remark) => `- ${remark}`).join('\n')}` : ''
  return `**${escapeMarkdown(file)}** has ${counted(rows, 'row')}; these are the figures of ${columns.length === 1 ? 'one column' : `${columns.length} columns`}.\n\n${table.join('\n')}${list}`
}

function tableRow(column: Column): string {
  const { name, type, filled, missing } = column
  const cells = [escapeMarkdown(name), type, numberText(filled), numberText(missing), ...figureCells(column)]
  return `| ${cells.join(' | ')} |`
}

/** Mean, minimum and maximum; a date has a first and a last day. */
function figureCells(column: Column): [string, string, string] {
  if (isNumeric(column)) {
    return [numberText(column.mean), numberText(column.min), numberText(column.max)]
  }
  return ['–', ...(column.range ?? (['–', '–'] as const))]
}

function remarkOn(column: Column): string | undefined {
  const name = `**${escapeMarkdown(column.name)}**`
  if (column.unlike > 0) {
    const cells = column.unlike === 1 ? 'is' : 'are'
    const count = column.unlike === 1 ? 'does' : 'do'
    return `${name}: ${counted(column.unlike, 'filled cell')} ${cells} not of type ${column.type} and ${count} not count.`
  }
  if (isNumeric(column) && column.rounded) return `${name}: some values are beyond 2^53, so figures are rounded.`
  if (column.type !== 'text') return undefined
  const [top] = column.top
  const distinct = `${column.distinctIsBound ? 'more than ' : ''}${counted(column.distinct, 'different value')}`
  return (
    top &&
    `${name}: ${distinct}, most often *${escapeMarkdown(top.value)}* (${top.count === 1 ? 'once' : `${numberText(top.count)} times`}).`
  )
}

/** So many of a thing: `1 row`, `2,920 rows`. */
function counted(count: number, thing: string): string {
  return `${numberText(count)} ${thing}${count === 1 ? '' : 's'}`
}
