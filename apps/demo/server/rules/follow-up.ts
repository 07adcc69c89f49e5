import { calculation } from '../../contract/calculation.ts'
import { searchResult } from '../../contract/search-result.ts'
import { isExpression, isUnit } from '../tools/calculate.ts'
import { HITS_A_SEARCH } from '../tools/docs/search.ts'
import { parseJson } from './parse-json.ts'
import type { PlannedCall } from './planned-call.ts'
import type { AnsweredCall, Turn } from './turn.ts'

const MORE = /^\W*(?:(?:tell|show) me )?(?:more|go on|continue|next|what else|anything else)\b[\s.!?]*$/i
const OTHER_UNIT = /^\W*(?:and |what about |how about )?(?:in|to|into) (\w+)\W*$/i
const CONTINUES =
  /^\W*?(?:and |then |now )*(?:(plus|minus|times|divided by|multiplied by)\s+|([-+*/^])\s*)(\d[\d.]*)\W*$/i
const ABOUT = /^\W*(?:and )?(?:what|how) about (.{2,200}?)\W*$/i

const signs: Readonly<Record<string, string>> = {
  plus: '+',
  minus: '-',
  times: '*',
  'multiplied by': '*',
  'divided by': '/',
}

/** The call that continues an earlier one: `more`, `in mm?`, `times 3`, `what about stopping?`. */
export function followUp({ text, earlier }: Turn): PlannedCall | undefined {
  return moreResults(text, earlier) ?? continuedCalculation(text, earlier) ?? otherSubject(text, earlier)
}

function moreResults(text: string, earlier: readonly AnsweredCall[]): PlannedCall | undefined {
  if (!MORE.test(text)) return undefined
  const last = searchResult.safeParse(lastAnswer('search_docs', earlier))
  if (!last.success) return undefined
  const { query, skipped } = last.data
  return { name: 'search_docs', args: { query, skip: skipped + HITS_A_SEARCH } }
}

function continuedCalculation(text: string, earlier: readonly AnsweredCall[]): PlannedCall | undefined {
  const last = calculation.safeParse(lastAnswer('calculate', earlier))
  if (!last.success) return undefined
  const expression =
    inOtherUnit(text, last.data.expression) ?? continued(text, 'value' in last.data ? last.data.value : undefined)
  return expression !== undefined && isExpression(expression) ? { name: 'calculate', args: { expression } } : undefined
}

function inOtherUnit(text: string, expression: string): string | undefined {
  const unit = OTHER_UNIT.exec(text)?.[1]
  if (unit === undefined || !isUnit(unit)) return undefined
  return `${expression.replace(/ to \S+$/, '')} to ${unit}`
}

function continued(text: string, value: string | undefined): string | undefined {
  const match = CONTINUES.exec(text)
  if (!match || value === undefined) return undefined
  const sign = match[2] ?? signs[match[1]!.toLowerCase()]
  return sign === undefined ? undefined : `(${value}) ${sign} ${match[3]}`
}

function otherSubject(text: string, earlier: readonly AnsweredCall[]): PlannedCall | undefined {
  const query = ABOUT.exec(text)?.[1]
  const searched = earlier.at(-1)?.name === 'search_docs'
  return query !== undefined && searched ? { name: 'search_docs', args: { query } } : undefined
}

function lastAnswer(tool: string, earlier: readonly AnsweredCall[]): unknown {
  const call = earlier.findLast(({ name }) => name === tool)
  return call && parseJson(call.content)
}
