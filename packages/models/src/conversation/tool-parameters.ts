import { jsonSchemaOf, type ToolSpec } from '@rivulet/core'
import { isFields, type Fields } from '../read-fields.ts'

const ANY: Fields = Object.freeze({ type: 'object', properties: {} })

/** JSON Schema of a tool's arguments, as providers take it; any object where the tool cannot say. */
export function toolParameters({ jsonSchema, schema }: ToolSpec): Record<string, unknown> {
  const said = jsonSchema ?? jsonSchemaOf(schema)
  // Some providers refuse keywords they do not know, and this one says nothing to a model.
  const { $schema: _, ...parameters } = isFields(said) ? said : ANY
  return parameters
}
