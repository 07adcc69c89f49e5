import { setTimeout as wait } from 'node:timers/promises'
import { tool, type Tool } from '@rivulet/core'
import { z } from 'zod'
import { csvFile } from '../../contract/csv-file.ts'
import { calculate } from './calculate.ts'
import { analyzeCsv } from './csv/analyze.ts'
import type { DocsIndex } from './docs/search.ts'

/** What the tools need from outside. */
export interface ToolsOptions {
  /** The documentation, read once when it is first searched. */
  docs: () => Promise<DocsIndex>
  /** Waited for between two pieces of a CSV file. Default: {@link BREATH_MS}. */
  breathe?: (signal: AbortSignal) => Promise<void>
}

/** Between two pieces of a file other streams of the process get their turn, and an eye can follow: at most 40 a file. */
const BREATH_MS = 25

/** The agent's tools: search the documentation, analyze a CSV file of the conversation, calculate. */
export function createTools({ docs, breathe = breatheInTime }: ToolsOptions): Tool[] {
  return [searchDocs(docs), analyzeCsvTool(breathe), calculateTool()]
}

function searchDocs(docs: ToolsOptions['docs']): Tool {
  const schema = z.object({
    query: z.string().min(1).max(500).describe('What to look for, in keywords or as a question'),
    skip: z.number().int().min(0).max(1000).optional().describe('How many results to leave out, to get further ones'),
  })
  return tool(async ({ query, skip }) => (await docs()).search(query, skip), {
    name: 'search_docs',
    description:
      'Full-text search over the documentation of Rivulet, the project this page belongs to. Answers quotations with file and heading.',
    schema,
  })
}

function analyzeCsvTool(breathe: (signal: AbortSignal) => Promise<void>): Tool {
  const schema = z.object({
    file: z.string().optional().describe('Name of the file; the one given last when left out'),
    columns: z.array(z.string()).max(60).optional().describe('Names of the columns to measure; all when left out'),
  })
  return tool(
    async ({ file: name, columns }, ctx) => {
      const files = filesIn(ctx.state)
      const file = name === undefined ? files.at(-1) : files.findLast((given) => given.name === name)
      if (!file) return { file: name ?? '', problem: missingFile(name, files) }
      const onProgress = (progress: { done: number; total: number; message: string }) => ctx.progress(progress)
      return analyzeCsv(file, { signal: ctx.signal, onProgress, breathe, columns })
    },
    {
      name: 'analyze_csv',
      description:
        'Measures a CSV file that the person gave to this chat: rows, and for each column its type, missing values, mean, minimum, maximum and a histogram. The page draws the histograms.',
      schema,
    },
  )
}

function calculateTool(): Tool {
  return tool(({ expression }) => calculate(expression), {
    name: 'calculate',
    description: 'Works out one arithmetic expression, with units where wanted, for example "2^10" or "12 inch to cm".',
    schema: z.object({ expression: z.string().max(1000).describe('The expression, in the notation of mathjs') }),
  })
}

const stateWithFiles = z.object({ files: z.array(csvFile) })

function filesIn(state: unknown): { name: string; text: string }[] {
  const parsed = stateWithFiles.safeParse(state)
  return parsed.success ? parsed.data.files : []
}

function missingFile(name: string | undefined, files: readonly { name: string }[]): string {
  if (files.length === 0) return 'No file was given to this chat.'
  return `There is no file ${JSON.stringify(name)}; there is ${files.map((file) => JSON.stringify(file.name)).join(', ')}.`
}

function breatheInTime(signal: AbortSignal): Promise<void> {
  return wait(BREATH_MS, undefined, { signal })
}
