import { RivuletError } from '@rivulet/protocol/model'
import type { Field } from './field.ts'
import type { MessageChanges } from './message-list.ts'
import type { Message } from '@rivulet/protocol'
import { own, ownResult } from './own.ts'
import { pick } from './pick.ts'
import { describeIssues, isStandardSchema, type StandardSchema } from './standard-schema.ts'

declare const types: unique symbol

/** The shape of a graph's state: its keys with their fields, or a schema for the whole of it. Made by {@link state}. */
export interface StateSchema<Value = unknown, Update = unknown, Input = unknown> {
  readonly [types]?: { value: Value; update: Update; input: Input }
  /** Fields by key; empty when a schema describes the whole state. */
  readonly fields: Readonly<Record<string, Field>>
  /** Checks and converts the whole input. */
  readonly whole?: StandardSchema
}

/** One key as it is declared: a field, or a Standard Schema (last write wins, input validated). */
export type FieldLike = Field<never, never, never> | StandardSchema

type FieldTypes<F> =
  F extends Field<infer V, infer U, infer I>
    ? { value: V; update: U; input: I }
    : F extends StandardSchema<infer I, infer O>
      ? { value: O; update: O; input: I }
      : never

type Flat<T> = { [K in keyof T]: T[K] }

/** What nodes read of a state declared with these fields. */
export type FieldValues<F> = Flat<{ [K in keyof F]: FieldTypes<F[K]>['value'] }>
/** What nodes may return. */
export type FieldUpdates<F> = Flat<{ [K in keyof F]?: FieldTypes<F[K]>['update'] }>
/** What callers may pass. */
export type FieldInputs<F> = Flat<{ [K in keyof F]?: FieldTypes<F[K]>['input'] }>

/** What nodes read. */
export type ValueOf<S> =
  S extends StateSchema<infer V, infer _U, infer _I> ? V : S extends StandardSchema<infer _I, infer O> ? O : never
/** What nodes may return. */
export type UpdateOf<S> =
  S extends StateSchema<infer _V, infer U, infer _I>
    ? U
    : S extends StandardSchema<infer _I, infer O>
      ? Partial<O>
      : never
/** What callers may pass in. */
export type InputOf<S> =
  S extends StateSchema<infer _V, infer _U, infer I> ? I : S extends StandardSchema<infer I, infer _O> ? I : never

/**
 * Declares a state key by key: `state({ topic: value<string>(), messages: messages(), n: z.number() })`. A schema, of a
 * key or of the whole state, checks and converts what callers pass in. What nodes write has the form that it makes, which
 * it need not accept again (a transform does not), and is checked by the compiler.
 * Throws `INVALID_GRAPH` when a key holds neither a field nor a Standard Schema.
 */
export function state<const F extends Readonly<Record<string, object>>>(
  fields: F,
): StateSchema<FieldValues<F>, FieldUpdates<F>, FieldInputs<F>> {
  const entries = Object.entries(fields).map(([key, field]): [string, Field] => [key, toField(key, field)])
  return { fields: Object.fromEntries(entries) }
}

function toField(key: string, field: object): Field {
  if (isStandardSchema(field)) return { kind: 'value', schema: field }
  if ('kind' in field) return field as Field
  throw new RivuletError('INVALID_GRAPH', `state key "${key}" is neither a field nor a Standard Schema`)
}

/** A schema in either form as a {@link StateSchema}. */
export function toStateSchema(schema: StateSchema | StandardSchema): StateSchema {
  return isStandardSchema(schema) ? { fields: {}, whole: schema } : schema
}

/** State as the runtime holds it: frozen values by key. */
export type Values = Readonly<Record<string, unknown>>

/** What one task wrote, in order, in our shape. */
export type Update = Readonly<Record<string, unknown>>

const LAST_VALUE: Field = { kind: 'value' }

/** The field of a key. A state described by one schema has last-write-wins keys; else an unknown key is an error. */
function fieldOf(schema: StateSchema, key: string, writer: string): Field {
  if (Object.hasOwn(schema.fields, key)) return schema.fields[key]!
  if (schema.whole !== undefined) return LAST_VALUE
  const known = Object.keys(schema.fields).join(', ')
  throw new RivuletError('INVALID_UPDATE', `${writer} wrote the unknown state key "${key}"; the state has: ${known}`)
}

/** The state before any input: every field's initial value. */
export function initialValues(schema: StateSchema): Values {
  const values: Record<string, unknown> = {}
  for (const [key, field] of Object.entries(schema.fields)) {
    if (field.initial !== undefined) values[key] = own(field.initial())
  }
  return Object.freeze(values)
}

/** The keys that hold message lists. */
export function messageKeys(schema: StateSchema): readonly string[] {
  return Object.keys(schema.fields).filter((key) => schema.fields[key]!.kind === 'messages')
}

/** The keys whose values reducers make. */
export function reducedKeys(schema: StateSchema): readonly string[] {
  return Object.keys(schema.fields).filter((key) => schema.fields[key]!.reduce !== undefined)
}

/** Marks a value that replaces what is there instead of being reduced into it. */
const OVERWRITE = '__overwrite__'

/** A value that passes by the reducer; made by {@link overwrite}. */
export interface Overwrite<T> {
  readonly [OVERWRITE]: T
}

/** Writes `value` as it is, past the key's reducer. Two overwrites of one key in a step are an `INVALID_UPDATE`. */
export function overwrite<T>(value: T): T & Overwrite<T> {
  // Typed as what it replaces, so that it can stand wherever an update of that key can.
  return Object.freeze({ [OVERWRITE]: value }) as unknown as T & Overwrite<T>
}

function isOverwrite(update: unknown): update is Overwrite<unknown> {
  return typeof update === 'object' && update !== null && OVERWRITE in update
}

/**
 * An update as the runtime keeps it: known keys only, message lists normalised, the rest frozen. Throws `INVALID_UPDATE`
 * on unknown keys, `INVALID_INPUT` on what is no message, `UNSERIALIZABLE` on what holds itself.
 */
export function ownUpdate(schema: StateSchema, update: object, writer: string, makeId: () => string): Update {
  const result: Record<string, unknown> = {}
  for (const key of Object.keys(update)) {
    const given = (update as Record<string, unknown>)[key]
    if (given === undefined) continue
    const { list } = fieldOf(schema, key, writer)
    const take = (one: unknown): unknown => (list === undefined ? own(one) : list.take(one, makeId))
    try {
      result[key] = isOverwrite(given) ? Object.freeze({ [OVERWRITE]: take(given[OVERWRITE]) }) : take(given)
    } catch (cause) {
      if (!(cause instanceof RivuletError) || cause.code !== 'UNSERIALIZABLE') throw cause
      const how = `what ${writer} wrote to the state key "${key}" holds itself, or has more than 1,000 levels`
      throw new RivuletError('UNSERIALIZABLE', how, { cause })
    }
  }
  return Object.freeze(result)
}

/** An update as readers see it: an overwrite shows its value. */
export function shownUpdate(update: Update): Update {
  if (!Object.values(update).some(isOverwrite)) return update
  return Object.fromEntries(
    Object.entries(update).map(([key, given]) => [key, isOverwrite(given) ? given[OVERWRITE] : given]),
  )
}

/** A task's writes with its name, for applying and for saying who conflicts. */
export interface Writes {
  readonly writer: string
  readonly updates: readonly Update[]
}

/**
 * The state after all writes of a step, in the order given; `values` itself when nothing was written. Throws
 * `INVALID_UPDATE` when two writers set one last-write-wins key.
 */
export function applyWrites(schema: StateSchema, values: Values, writes: readonly Writes[]): Values {
  let next: Record<string, unknown> | undefined
  let writers: Map<string, Writes> | undefined
  for (const one of writes) {
    const { writer, updates } = one
    for (const update of updates) {
      for (const key of Object.keys(update)) {
        const field = fieldOf(schema, key, writer)
        const given = update[key]
        const exclusive = field.kind === 'value' || isOverwrite(given)
        if (exclusive && writes.length > 1) claim((writers ??= new Map()), key, one)
        next ??= { ...values }
        next[key] = applyOne(field, next[key], given)
      }
    }
  }
  return next === undefined ? values : Object.freeze(next)
}

function claim(writers: Map<string, Writes>, key: string, by: Writes): void {
  const other = writers.get(key)
  if (other !== undefined && other !== by) {
    const how = `${other.writer} and ${by.writer} wrote the state key "${key}" in one step`
    throw new RivuletError('INVALID_UPDATE', `${how}; give it a reducer with reduced(), or let one of them write it`)
  }
  writers.set(key, by)
}

function applyOne({ list, reduce }: Field, current: unknown, given: unknown): unknown {
  const start = isOverwrite(given) ? [] : (current ?? [])
  const plain = isOverwrite(given) ? given[OVERWRITE] : given
  // What was written to a list was brought into its shape when it was taken in.
  if (list !== undefined) return list.merge(start as readonly Message[], plain as MessageChanges)
  return reduce === undefined || isOverwrite(given) ? plain : ownResult(reduce(current, given), current)
}

/** What is known of an input before it is checked. */
export interface InputFacts {
  /** What the thread holds already. */
  readonly known?: Values | undefined
  /** Keys that the input may have. Default: all of the state's. */
  readonly allowed?: readonly string[] | undefined
  /** Schema of the state that the input was taken from: what the same schema made is not checked again. */
  readonly checkedBy?: StateSchema | undefined
}

/**
 * Checks a caller's input against the schemas and converts it. A schema for the whole state sees the input over what the
 * thread holds (`known`), so that a later turn may pass only what is new; so such a schema must accept what it makes.
 * Throws `INVALID_INPUT` naming the keys.
 */
export async function validateInput(
  schema: StateSchema,
  input: unknown,
  { known, allowed, checkedBy }: InputFacts = {},
): Promise<object> {
  if (typeof input !== 'object' || input === null || Array.isArray(input)) {
    const got = input === null ? 'null' : Array.isArray(input) ? 'an array' : typeof input
    throw new RivuletError('INVALID_INPUT', `the input of a graph is an object with state keys, not ${got}`)
  }
  refuseUnknown(input, allowed ?? (schema.whole === undefined ? Object.keys(schema.fields) : undefined))
  if (schema.whole !== undefined)
    return schema.whole === checkedBy?.whole ? input : validateWhole(schema.whole, input, known)
  let checked: Record<string, unknown> | undefined
  for (const [key, field] of Object.entries(schema.fields)) {
    if (field.schema === undefined || !Object.hasOwn(input, key)) continue
    if (checkedBy?.fields[key]?.schema === field.schema) continue
    checked ??= { ...input }
    checked[key] = await validate(field.schema, checked[key], key)
  }
  return checked ?? input
}

function refuseUnknown(input: object, allowed: readonly string[] | undefined): void {
  const unknown = allowed === undefined ? [] : Object.keys(input).filter((key) => !allowed.includes(key))
  if (unknown.length === 0) return
  const names = `unknown input key "${unknown.join('", "')}"`
  throw new RivuletError('INVALID_INPUT', `${names}; the input may have: ${allowed?.join(', ')}`)
}

async function validateWhole(schema: StandardSchema, input: object, known: Values | undefined): Promise<object> {
  const result = (await validate(schema, { ...known, ...input })) as Record<string, unknown>
  if (known === undefined) return result
  return pick(result, (key) => Object.hasOwn(input, key))
}

async function validate(schema: StandardSchema, value: unknown, key?: string): Promise<unknown> {
  const result = await schema['~standard'].validate(value)
  if (result.issues === undefined) return result.value
  const where = key === undefined ? '' : `${key}: `
  throw new RivuletError('INVALID_INPUT', `the input is not valid: ${where}${describeIssues(result.issues)}`)
}

/** State without its private keys: what `values` and `invoke` show. */
export function visible(schema: StateSchema, values: Values): Values {
  const hidden = Object.keys(schema.fields).filter((key) => schema.fields[key]!.private)
  if (hidden.length === 0) return values
  return pick(values, (key) => !hidden.includes(key))
}
