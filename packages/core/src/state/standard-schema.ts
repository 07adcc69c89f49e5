/** The part of the Standard Schema specification (standardschema.dev, version 1) that we use: zod, valibot, arktype have it. */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    readonly validate: (value: unknown) => StandardResult<Output> | Promise<StandardResult<Output>>
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** What `validate` answers: a value, or issues. */
export type StandardResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly StandardIssue[] }

/** One thing that is wrong, and where. */
export interface StandardIssue {
  readonly message: string
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined
}

/** Whether a value is a Standard Schema; some (arktype) are functions. */
export function isStandardSchema(value: unknown): value is StandardSchema {
  return (typeof value === 'object' || typeof value === 'function') && value !== null && '~standard' in value
}

/** All issues as one sentence: `topic: expected a string; n: too small`. */
export function describeIssues(issues: readonly StandardIssue[]): string {
  return issues
    .map(({ message, path = [] }) => {
      const where = path.map((part) => String(typeof part === 'object' ? part.key : part)).join('.')
      return where === '' ? message : `${where}: ${message}`
    })
    .join('; ')
}

/** A schema that can say itself as JSON Schema: by the specification's own way, or as zod or arktype do. */
interface SaysJsonSchema {
  readonly '~standard': { readonly jsonSchema?: { input?: (options: { target: string }) => unknown } }
  readonly toJSONSchema?: () => unknown
  readonly toJsonSchema?: () => unknown
}

/** The JSON Schema of what a schema takes in; `undefined` when it cannot say. Never throws: some types have none. */
export function jsonSchemaOf(schema: StandardSchema | undefined): unknown {
  if (schema === undefined) return undefined
  const can = schema as StandardSchema & Partial<SaysJsonSchema>
  try {
    const ways = can['~standard'].jsonSchema
    if (ways?.input !== undefined) return ways.input({ target: 'draft-2020-12' })
    return can.toJSONSchema?.() ?? can.toJsonSchema?.()
  } catch {
    return undefined
  }
}
