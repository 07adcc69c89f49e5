import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { RivuletError } from './errors.ts'
import { toJson } from './json.ts'

/** The sentence of the typed error; anything else that is thrown fails the test. */
function refusal(value: unknown): string {
  try {
    toJson(value)
  } catch (error) {
    if (error instanceof RivuletError && error.code === 'UNSERIALIZABLE') return error.message
    throw error
  }
  throw new Error('the value was taken')
}

describe('what JSON carries', () => {
  test('any JSON value comes out as a round trip through text gives it', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), (value) => {
        const text = JSON.stringify(value)
        // A key of that name is left out: see below.
        fc.pre(!text.includes('"__proto__"'))
        expect(toJson(value)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('values around JSON become what JSON makes of them', () => {
    fc.assert(
      fc.property(
        fc.object({
          values: [fc.string(), fc.double(), fc.boolean(), fc.constant(undefined), fc.date(), fc.constant(null)],
          key: fc.string().filter((key) => key !== '__proto__' && key !== 'toJSON'),
        }),
        (value) => {
          const text = JSON.stringify(value)
          // A key of that name is left out: see below.
          fc.pre(!text.includes('"__proto__"'))
          expect(toJson(value)).toEqual(JSON.parse(text))
        },
      ),
    )
  })

  test('undefined is null at the top and in lists and left out of objects', () => {
    expect(toJson(undefined)).toBe(null)
    expect(toJson([1, undefined])).toEqual([1, null])
    expect(Object.keys(toJson({ a: 1, b: undefined }) as object)).toEqual(['a'])
  })

  test('numbers without a JSON form become null, and minus zero zero', () => {
    expect(toJson([NaN, Infinity, -Infinity])).toEqual([null, null, null])
    expect(Object.is(toJson(-0), 0)).toBe(true)
  })

  test('a date becomes ISO text and an object its own toJSON', () => {
    expect(toJson({ at: new Date(0) })).toEqual({ at: '1970-01-01T00:00:00.000Z' })
    expect(toJson(new RivuletError('NOT_FOUND', 'no such thread'))).toEqual({
      code: 'NOT_FOUND',
      message: 'no such thread',
    })
    const itself = {
      a: 1,
      toJSON() {
        return this
      },
    }
    expect(toJson(itself)).toEqual({ a: 1 })
  })

  test('boxed primitives are unwrapped', () => {
    expect(toJson([Object('a'), Object(1), Object(true)])).toEqual(['a', 1, true])
  })

  test('an instance of a class becomes its own fields', () => {
    class Point {
      readonly x = 1
      readonly y = 2
      get sum(): number {
        return this.x + this.y
      }
    }
    expect(toJson(new Point())).toEqual({ x: 1, y: 2 })
  })
})

describe('what comes out is a copy', () => {
  test('changing the value later does not change what was taken', () => {
    const value = { list: [{ n: 1 }] }
    const taken = toJson(value)
    value.list[0]!.n = 2
    value.list.push({ n: 3 })
    expect(taken).toEqual({ list: [{ n: 1 }] })
  })

  test('one object named twice is no cycle', () => {
    const shared = { n: 1 }
    expect(toJson({ a: shared, b: [shared] })).toEqual({ a: { n: 1 }, b: [{ n: 1 }] })
  })

  test('a __proto__ key changes no prototype and does not come out', () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true},"a":{"__proto__":{"polluted":true}}}')
    const taken = toJson(hostile) as Record<string, object>
    expect(Object.getPrototypeOf(taken)).toBe(Object.prototype)
    expect(Object.getPrototypeOf(taken['a'])).toBe(Object.prototype)
    expect(JSON.stringify(taken)).toBe('{"a":{}}')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
  })
})

describe('what JSON cannot carry is refused with its path', () => {
  test.each([
    ['bigint', { a: { b: [1, 2n] } }, 'a.b[1] is a bigint'],
    ['function', { run: () => 1 }, 'run is a function'],
    ['symbol', { 'odd key': Symbol('s') }, '["odd key"] is a symbol'],
    ['Map', { m: new Map([[1, 2]]) }, 'm is a Map'],
    ['Set', [new Set([1])], '[0] is a Set'],
    ['Promise', { p: Promise.resolve(1) }, 'p is a Promise'],
    ['bytes', { file: new Uint8Array(3) }, 'file is binary data'],
    ['top level', 1n, 'the value itself is a bigint'],
  ])('a %s', (_name, value, sentence) => {
    expect(refusal(value)).toContain(sentence)
  })

  test('a cycle, however wide its rounds', () => {
    const node: Record<string, unknown> = { big: Array.from({ length: 100 }, (_, i) => ({ i })) }
    node['self'] = { deeper: node }
    expect(refusal({ tree: node })).toContain('tree.self.deeper is a cycle')
  })

  test('a cycle through many branches ends at once', () => {
    const list: unknown[] = []
    list.push(list, list, list)
    expect(refusal(list)).toContain('[0] is a cycle')
  })

  test('nesting without end', () => {
    let deep: unknown = 1
    for (let i = 0; i < 100_000; i++) deep = { deep }
    expect(refusal(deep)).toContain('nested deeper than 1000 levels')
  })

  test('nesting within the bound is taken', () => {
    let deep: unknown = 1
    for (let i = 0; i < 900; i++) deep = [deep]
    expect(toJson(deep)).toEqual(deep)
  })

  test('a value that throws when it is read', () => {
    const hostile = {
      ok: 1,
      get bad(): number {
        throw new TypeError('not now')
      },
    }
    expect(refusal(hostile)).toContain('bad is a value that throws when read: not now')
  })
})
