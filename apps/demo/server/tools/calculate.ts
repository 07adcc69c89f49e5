import { Script } from 'node:vm'
import type { ConstantNode, FunctionNode, MathNode, MathType, SymbolNode } from 'mathjs'
import { messageOfThrown } from '@rivulet/protocol'
import type { Calculation } from '../../contract/calculation.ts'
import { createMath } from './math-engine.ts'

/** Longest expression, in characters. */
export const MAX_EXPRESSION = 300
/** Longest time that one expression may take, in milliseconds. */
const MAX_TIME_MS = 1000
/** Most parts (numbers, names, operators) of one expression. */
const MAX_NODES = 150
/** Integers up to here are written out; beyond, and for fractions, this many digits are given. */
const MAX_INTEGER_DIGITS = 60
const DIGITS = 12

const math = createMath()

/** Functions of numbers whose result is one number or one quantity: none builds a matrix, a string or code. */
const functions: ReadonlySet<string> = new Set(
  (
    'abs cbrt ceil combinations cube exp factorial fix floor gcd hypot lcm log log10 log2 mod nthRoot permutations ' +
    'pow round sign sqrt square to sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh ' +
    'max mean median min prod std sum variance'
  ).split(' '),
)

const constants: ReadonlySet<string> = new Set(['pi', 'e', 'tau', 'phi', 'i', 'Infinity', 'true', 'false'])

/**
 * Works out one expression with units, exact to 64 digits: `2^10`, `sqrt(2) * 3`, `12 inch to cm`. Never throws: what
 * cannot be worked out comes back as a `problem` in one sentence.
 *
 * Only arithmetic passes: numbers, operators, the listed functions and constants, and units. Nothing can be assigned,
 * indexed, imported or evaluated from text, and length, parts and time are bounded.
 */
export function calculate(expression: string): Calculation {
  const trimmed = expression.trim()
  try {
    const node = parseExpression(trimmed)
    return { expression: trimmed, value: formatValue(withinTime(() => node.evaluate(new Map()) as MathType)) }
  } catch (error) {
    return { expression: trimmed, problem: problemOf(error) }
  }
}

/** Whether {@link calculate} would accept the expression's form. It may still fail, for example on units that do not match. */
export function isExpression(expression: string): boolean {
  try {
    parseExpression(expression.trim())
    return true
  } catch {
    return false
  }
}

/** Whether the name stands for a function or a constant that {@link calculate} knows. */
export function isMathName(name: string): boolean {
  return functions.has(name) || constants.has(name)
}

/** Whether the name is a unit such as `cm` or `hours`. */
export function isUnit(name: string): boolean {
  return math.isUnit(name)
}

function parseExpression(expression: string): MathNode {
  if (expression === '') throw new Refusal('There is nothing to work out.')
  if (expression.length > MAX_EXPRESSION) {
    throw new Refusal(`The expression is longer than ${MAX_EXPRESSION} characters.`)
  }
  const node = math.parse(expression)
  let nodes = 0
  node.traverse((part) => {
    nodes += 1
    if (nodes > MAX_NODES) throw new Refusal(`The expression has more than ${MAX_NODES} parts.`)
    checkPart(part)
  })
  return node
}

/** Throws unless the part is on the list of what arithmetic needs. */
function checkPart(part: MathNode): void {
  switch (part.type) {
    case 'ConstantNode':
      if (typeof (part as ConstantNode).value === 'string') throw new Refusal('I work with numbers, not with text.')
      return
    case 'OperatorNode':
    case 'ParenthesisNode':
      return
    case 'FunctionNode': {
      const { name } = (part as FunctionNode).fn
      if (!functions.has(name)) throw new Refusal(`I do not know a function ${JSON.stringify(name)}.`)
      return
    }
    case 'SymbolNode': {
      const { name } = part as SymbolNode
      if (!isMathName(name) && !isUnit(name)) throw new Refusal(`I do not know ${JSON.stringify(name)}.`)
      return
    }
    default:
      throw new Refusal('Only arithmetic, functions of numbers and units are allowed.')
  }
}

/**
 * Runs `work` and stops it when its time is over. The engine can interrupt a script even inside functions of the host;
 * nothing of the expression runs in this context, so it is a stopwatch here and not a sandbox.
 */
function withinTime(work: () => MathType): MathType {
  return stopwatch.runInNewContext({ work }, { timeout: MAX_TIME_MS }) as MathType
}

const stopwatch = new Script('work()')

function formatValue(value: MathType): string {
  if (math.isBigNumber(value)) {
    if (!value.isFinite()) throw new Refusal('It has no value, or one that is too large to work out.')
    if (value.isInteger() && value.e < MAX_INTEGER_DIGITS) return value.toFixed()
    if (value.abs().lt('1e-60')) return '0' // What 64 digits leave of sin(pi).
  }
  if (typeof value === 'function') throw new Refusal('A function needs its numbers in parentheses.')
  return math.format(value, { precision: DIGITS })
}

function problemOf(error: unknown): string {
  if (error instanceof Refusal) return error.message
  // The stopwatch throws an error of its own realm, which is no `Error` of ours: it is known by its code.
  if (typeof error === 'object' && error !== null && 'code' in error && error.code === TIMED_OUT) {
    return `It takes longer than ${MAX_TIME_MS} ms.`
  }
  return `It cannot be worked out: ${messageOfThrown(error)}`
}

const TIMED_OUT = 'ERR_SCRIPT_EXECUTION_TIMEOUT'

/** Why an expression is not worked out, in a sentence for the person who typed it. */
class Refusal extends Error {}
