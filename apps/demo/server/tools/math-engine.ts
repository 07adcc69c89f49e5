import type { BigNumber, MathNode, MathType, UnitDefinition } from 'mathjs'
// The library in one file: its hundreds of modules take eight times as long to load.
import mathjs from 'mathjs/lib/browser/math.js'

/** The parts of mathjs that a calculator needs. */
export interface MathEngine {
  parse(expression: string): MathNode
  format(value: MathType, options: { precision: number }): string
  isBigNumber(value: unknown): value is BigNumber
  /** Whether `name` stands for a unit. */
  isUnit(name: string): boolean
}

/**
 * mathjs with 64 digits and a few more units, in which no expression can import, define or evaluate anything: the
 * functions that could are replaced by one that throws.
 */
export function createMath(): MathEngine {
  const math = mathjs.create({ number: 'BigNumber', precision: 64 })
  for (const [name, definition] of Object.entries(moreUnits)) math.createUnit(name, definition)
  // Taken before it is switched off: expressions look names up on the instance, we hold on to this one.
  const parse = math.parse
  // The first evaluation builds what the later ones use, and must not count against their time.
  parse('1 + 1').evaluate()
  math.import(Object.fromEntries(switchedOff.map((name) => [name, refuse])), { override: true })
  return {
    parse: (expression) => parse(expression),
    format: (value, options) => math.format(value, options),
    isBigNumber: (value): value is BigNumber => math.isBigNumber(value),
    isUnit: (name) => math.Unit.isValuelessUnit(name),
  }
}

const switchedOff = (
  'import createUnit reviver evaluate parse compile parser help ' +
  'simplify simplifyCore derivative rationalize resolve symbolicEqual leafCount'
).split(' ')

function refuse(): never {
  throw new Error('this function is switched off')
}

/** Units that people write and mathjs does not know. */
const moreUnits: Record<string, UnitDefinition> = {
  mph: { definition: '1 mi/h' },
  kmh: { definition: '1 km/h', aliases: ['kph'] },
  knot: { definition: '1852 m/h', aliases: ['knots'] },
  pound: { definition: '1 lbm', aliases: ['pounds'] },
  metre: { definition: '1 m', prefixes: 'long', aliases: ['metres'] },
  calorie: { definition: '4.184 J', prefixes: 'long', aliases: ['calories'] },
}
