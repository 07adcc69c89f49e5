import { isExpression, isMathName, isUnit, MAX_EXPRESSION } from '../tools/calculate.ts'

/** Arithmetic found in a sentence, and the sentence without it. */
export interface Found {
  expressions: string[]
  rest: string
}

/** Longest text that is looked through; what is beyond is left alone. */
const MAX_TEXT = 4000
/** Most expressions of one text. */
const MAX_FOUND = 3

/**
 * Finds what can be worked out in a sentence: `what is 2^10 and the square root of 16?` has `2^10` and `sqrt(16)`.
 * Numbers alone, dates, ranges and versions are not arithmetic, unless the person asks to calculate.
 */
export function findExpressions(text: string): Found {
  const worded = unwordMath(text.slice(0, MAX_TEXT))
  const asked =
    isNothingElse(worded) || /\b(?:calculate|compute|evaluate|solve|what is|what's|how much|equals?)\b|=/i.test(worded)
  const expressions: string[] = []
  let rest = ''
  let from = 0
  for (const run of mathRuns(tokenize(worded))) {
    const found = bestExpression(run, asked)
    if (!found || expressions.length === MAX_FOUND) continue
    expressions.push(found.expression)
    rest += `${worded.slice(from, found.start)} `
    from = found.end
  }
  return { expressions, rest: rest + worded.slice(from) + text.slice(MAX_TEXT) }
}

/** Whether a text is all numbers and signs, so that there is nothing else it could mean, and no date. */
function isNothingElse(text: string): boolean {
  return /^[\d\s.,+*/^%!()-]+$/.test(text) && !/^\s*\d+([-/.])\d+\1\d+\s*$/.test(text)
}

interface Token {
  kind: 'number' | 'unit' | 'name' | 'operator' | 'open' | 'close' | 'comma' | 'connector' | 'other'
  /** How the calculator writes it. */
  text: string
  start: number
  end: number
}

const operatorWords: ReadonlyMap<string, string> = new Map([
  ['plus', '+'],
  ['minus', '-'],
  ['times', '*'],
  ['x', '*'],
  ['over', '/'],
  ['mod', 'mod'],
])

/** Units that are everyday words first. */
const notUnits: ReadonlySet<string> = new Set(['a', 'am', 'are', 'as', 'at', 'do', 'i', 'is', 'it', 'so', 'us'])

const NUMBER = String.raw`\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)|\d+(?:\.\d+)?(?:e[+-]?\d+)?|\.\d+`
const TOKEN = new RegExp(String.raw`(?<number>${NUMBER})|(?<word>[\p{L}_][\p{L}\p{N}_]*)|(?<sign>[-+*/^%!(),])`, 'giu')

/** Ways to say arithmetic in words, rewritten to signs. */
const phrases: readonly (readonly [RegExp, string])[] = [
  [/[×·]/g, '*'],
  [/÷/g, '/'],
  [/−/g, '-'],
  [/²/g, '^2'],
  [/³/g, '^3'],
  [/π/g, 'pi'],
  [/√\s*(\d+(?:\.\d+)?)/g, 'sqrt($1)'],
  [/√/g, 'sqrt'],
  [/(\d)\s*°?\s*([CF])\s+(?:to|in|into)\s+°?\s*([CF])\b/g, '$1 deg$2 to deg$3'],
  [/°\s*([CF])\b/g, ' deg$1'],
  [/\bdegrees? (celsius|fahrenheit)\b/gi, '$1'],
  [/(\d)\s*(?:%|percent)\s+of\s+(?=[\d(])/gi, '$1% * '],
  [/\b(?:the )?square root of (\d+(?:\.\d+)?)/gi, 'sqrt($1)'],
  [/\b(?:the )?square root of (?=\()/gi, 'sqrt'],
  [/\b(?:the )?cube root of (\d+(?:\.\d+)?)/gi, 'cbrt($1)'],
  [/(?<=[\d)]) ?(?:raised )?to the power of\b/gi, ' ^'],
  [/(?<=[\d)]) squared\b/gi, '^2'],
  [/(?<=[\d)]) cubed\b/gi, '^3'],
  [/\bmultiplied by\b/gi, '*'],
  [/\bdivided by\b/gi, '/'],
]

function unwordMath(text: string): string {
  const signed = phrases.reduce((so, [pattern, replacement]) => so.replace(pattern, replacement), text)
  return signed.replace(
    /\bhow many (\w+) (?:are |is )?(?:there )?in (?:(an?|one)|(\d+(?:\.\d+)?)) (\w+)/gi,
    (whole: string, to: string, _one: string, count: string | undefined, from: string) =>
      isUnit(to.toLowerCase()) && isUnit(from.toLowerCase())
        ? `${count ?? '1'} ${from.toLowerCase()} to ${to.toLowerCase()}`
        : whole,
  )
}

function tokenize(text: string): Token[] {
  const tokens: Token[] = []
  let end = 0
  for (const match of text.matchAll(TOKEN)) {
    const [piece] = match
    const start = match.index
    if (text.slice(end, start).trim() !== '') tokens.push({ kind: 'other', text: '', start: end, end: start })
    end = start + piece.length
    tokens.push({ ...classify(piece, match.groups ?? {}, tokens, text.slice(end)), start, end })
  }
  if (text.slice(end).trim() !== '') tokens.push({ kind: 'other', text: '', start: end, end: text.length })
  return tokens
}

/** What a piece is depends on what stands before and after it: `in` is a unit, a connector or a mere word. */
function classify(
  piece: string,
  groups: Readonly<Record<string, string | undefined>>,
  before: readonly Token[],
  after: string,
): Pick<Token, 'kind' | 'text'> {
  if (groups['number'] !== undefined) {
    // Inside a call a comma parts arguments: max(1,200) has two.
    return { kind: 'number', text: depthOf(before) > 0 ? piece : piece.replaceAll(',', '') }
  }
  if (groups['sign'] !== undefined) {
    const kind = piece === '(' ? 'open' : piece === ')' ? 'close' : piece === ',' ? 'comma' : 'operator'
    return { kind, text: piece }
  }
  return classifyWord(piece, before.at(-1), after)
}

function classifyWord(word: string, previous: Token | undefined, after: string): Pick<Token, 'kind' | 'text'> {
  const lower = word.toLowerCase()
  const next = /^\s*([\p{L}_]+)/u.exec(after)?.[1] ?? ''
  const value = previous?.kind === 'number' || previous?.kind === 'close'
  const operand = value || previous?.kind === 'unit'
  if (isMathName(lower) && /^\s*\(/.test(after)) return { kind: 'name', text: lower }
  if (lower === 'pi' || lower === 'tau') return { kind: 'name', text: lower }
  if (lower === 'e' && (previous?.kind === 'operator' || /^\s*\^/.test(after))) return { kind: 'name', text: 'e' }
  if (operand && ['to', 'in', 'into'].includes(lower) && unitName(next) !== undefined && !endsUnit(lower, next)) {
    return { kind: 'connector', text: 'to' }
  }
  if (operand && operatorWords.has(lower)) return { kind: 'operator', text: operatorWords.get(lower)! }
  const unit = unitName(word)
  const expectsUnit = operand || previous?.kind === 'connector' || previous?.kind === 'operator'
  return unit !== undefined && expectsUnit ? { kind: 'unit', text: unit } : { kind: 'other', text: '' }
}

/** `12 in to cm`, `12 in in cm`: this `in` is the inch, because a connector follows. */
function endsUnit(word: string, next: string): boolean {
  return word === 'in' && ['to', 'in', 'into'].includes(next.toLowerCase())
}

/** The unit a word names, as it stands or in lower case: `Miles` is one, and `MB` is not `mb`. */
function unitName(word: string): string | undefined {
  if (word === '' || notUnits.has(word.toLowerCase())) return undefined
  if (isUnit(word)) return word
  return isUnit(word.toLowerCase()) ? word.toLowerCase() : undefined
}

/** Parentheses open at the end of what was read of the current run. */
function depthOf(tokens: readonly Token[]): number {
  let depth = 0
  for (let at = tokens.length - 1; at >= 0 && tokens[at]!.kind !== 'other'; at -= 1) {
    if (tokens[at]!.kind === 'open') depth += 1
    if (tokens[at]!.kind === 'close') depth -= 1
  }
  return depth
}

/** Neighbouring tokens that are all arithmetic. A comma outside of parentheses ends a run. */
function mathRuns(tokens: readonly Token[]): Token[][] {
  const runs: Token[][] = [[]]
  let depth = 0
  for (const token of tokens) {
    if (token.kind === 'open') depth += 1
    if (token.kind === 'close') depth -= 1
    if (token.kind === 'other' || (token.kind === 'comma' && depth <= 0)) {
      runs.push([])
      depth = 0
    } else runs.at(-1)!.push(token)
  }
  return runs.filter((run) => run.length > 1)
}

/** The longest part of a run that is an expression and says something. */
function bestExpression(
  run: readonly Token[],
  asked: boolean,
): { expression: string; start: number; end: number } | undefined {
  const tokens = run.slice(0, MAX_EXPRESSION / 2)
  for (let skip = 0; skip < Math.min(tokens.length, 4); skip += 1) {
    for (let length = tokens.length - skip; length > 1; length -= 1) {
      const part = tokens.slice(skip, skip + length)
      if (!saysSomething(part, asked)) continue
      const expression = write(part)
      if (isExpression(expression)) return { expression, start: part[0]!.start, end: part.at(-1)!.end }
    }
  }
  return undefined
}

function saysSomething(tokens: readonly Token[], asked: boolean): boolean {
  if (tokens.some(({ kind }) => kind === 'connector') && tokens.some(({ kind }) => kind === 'number')) return true
  if (tokens.some(({ kind }, index) => kind === 'name' && tokens[index + 1]?.kind === 'open')) return true
  const operators = tokens.filter(({ kind }) => kind === 'operator').map(({ text }) => text)
  const operands = tokens.filter(({ kind }) => kind === 'number' || kind === 'name').length
  if (operators.includes('!')) return asked || operands > 1
  if (operands < 2 || operators.length === 0) return false
  return asked || !looksLikeDate(tokens)
}

/** `2026-11-21`, `24/7`, `3-4`: digits with dashes or slashes and no space around them. */
function looksLikeDate(tokens: readonly Token[]): boolean {
  const tight = tokens.every((token, index) => index === 0 || token.start === tokens[index - 1]!.end)
  return tight && tokens.every(({ kind, text }) => kind === 'number' || text === '-' || text === '/')
}

function write(tokens: readonly Token[]): string {
  return tokens.reduce((text, token, index) => {
    const before = tokens[index - 1]
    const apart = before !== undefined && token.start > before.end
    const worded = token.kind === 'connector' || before?.kind === 'connector' || token.text === 'mod'
    return text + (apart || worded ? ' ' : '') + token.text
  }, '')
}
