import {
  csvAnalysis,
  isNumeric,
  type Column,
  type CsvFigures,
  type NumericColumn,
} from '../../contract/csv-analysis.ts'
import { numberText } from '../../contract/number-text.ts'
import { escapeMarkdown } from './escape-markdown.ts'
import { parseJson } from './parse-json.ts'
import type { AnsweredCall, Turn } from './turn.ts'

/** What a question about the person's CSV asks for. */
export type CsvQuestion =
  | { kind: 'analyze'; file?: string; columns?: string[] }
  /** It can be answered from what was measured before. */
  | { kind: 'known'; text: string }
  /** It is about a file, and none was given. */
  | { kind: 'no-file' }

const ABOUT_FILES =
  /\b(?:csv|spreadsheet|data ?set|histograms?|analy[sz]e|analysis|(?:my|the|this) (?:file|data|table))\b/i
const ABOUT_FIGURES =
  /\b(?:columns?|rows|mean|average|min(?:imum)?|max(?:imum)?|lowest|highest|smallest|largest|missing|distribution|plot|chart)\b/i
const DRAWS = /\b(?:histograms?|distribution|plot|chart|draw|show)\b/i
const ASKS_HOW = /\bhow (?:do|does|can|is|are|to)\b/i

/** Decides what to do about the person's files; `undefined` when the turn is about something else. */
export function csvQuestion({ text, attached, files, earlier }: Turn): CsvQuestion | undefined {
  const figures = lastFigures(earlier)
  const columns = figures ? figures.columns.filter(({ name }) => mentions(text, name)) : []
  const named = files.find((file) => mentions(text, file) || mentions(text, file.replace(/\.[^.]+$/, '')))

  if (attached.length > 0) return { kind: 'analyze', file: attached.at(-1)! }
  if (files.length === 0) return ABOUT_FILES.test(text) && !ASKS_HOW.test(text) ? { kind: 'no-file' } : undefined
  if (columns.length > 0 && !DRAWS.test(text)) {
    const known = columns.map((column) => statistic(text, column)).filter((sentence) => sentence !== undefined)
    if (known.length > 0) return { kind: 'known', text: known.join('\n\n') }
  }
  if (columns.length > 0 && figures) {
    return { kind: 'analyze', file: figures.file, columns: columns.map(({ name }) => name) }
  }
  const about = named !== undefined || ABOUT_FILES.test(text) || (ABOUT_FIGURES.test(text) && !ASKS_HOW.test(text))
  return about ? { kind: 'analyze', file: named ?? files.at(-1)! } : undefined
}

function lastFigures(earlier: readonly AnsweredCall[]): CsvFigures | undefined {
  for (const { name, content } of earlier.toReversed()) {
    const parsed = name === 'analyze_csv' ? csvAnalysis.safeParse(parseJson(content)) : undefined
    if (parsed?.success && !('problem' in parsed.data)) return parsed.data
  }
  return undefined
}

/** Whether a name stands in a text as whole words; `water_level` is also found as `water level`. */
function mentions(text: string, name: string): boolean {
  const wanted = plainWords(name)
  return wanted.trim().length > 1 && plainWords(text).includes(wanted)
}

function plainWords(text: string): string {
  return ` ${text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, ' ')
    .trim()} `
}

/** One sentence on the figure that the text asks for of a column; `undefined` when it asks for none. */
function statistic(text: string, column: Column): string | undefined {
  const name = `**${escapeMarkdown(column.name)}**`
  if (/\bmissing\b|\bempty\b/i.test(text)) {
    return `${name} has ${numberText(column.missing)} missing values in ${numberText(column.filled + column.missing)} rows.`
  }
  if (!isNumeric(column)) {
    return wantedFigures(text).length > 0
      ? `${name} is a column of type ${column.type}: it has no mean, minimum or maximum.`
      : undefined
  }
  const wanted = wantedFigures(text)
  if (wanted.length === 0) return undefined
  const figures = wanted.map(([label, key]) => `${label} **${numberText(column[key])}**`)
  return `${name}: ${figures.join(', ')}, over ${numberText(column.filled - column.unlike)} values.`
}

const figureWords: readonly (readonly [RegExp, string, 'mean' | 'min' | 'max'])[] = [
  [/\b(?:mean|average)\b/i, 'mean', 'mean'],
  [/\b(?:min|minimum|lowest|smallest)\b/i, 'minimum', 'min'],
  [/\b(?:max|maximum|highest|largest)\b/i, 'maximum', 'max'],
]

function wantedFigures(text: string): (readonly [string, keyof Pick<NumericColumn, 'mean' | 'min' | 'max'>])[] {
  return figureWords.filter(([word]) => word.test(text)).map(([, label, key]) => [label, key] as const)
}
