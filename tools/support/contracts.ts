import { z } from 'zod'

import { eventSchemas } from '#shared/domain/events.ts'
import { visionJobSchema } from '#shared/domain/jobs.ts'

/** A contract by its name (a topic's, or `vision-job`): JSON Schema 2020-12, open to fields that it does not name. */
export type Contracts = ReadonlyMap<string, JsonSchema>
export type JsonSchema = { readonly [keyword: string]: unknown }

/** The contracts as the schemas of the domain say them now. */
export const describeContracts = (): Contracts =>
  new Map(
    Object.entries({ ...eventSchemas, 'vision-job': visionJobSchema }).map(([name, schema]) => [
      name,
      describe(name, schema),
    ]),
  )

const describe = (name: string, schema: z.ZodType): JsonSchema => {
  // `input` leaves objects open: what is published may have more fields than its reader knows.
  const { $schema, description, ...rest } = z.toJSONSchema(schema, {
    io: 'input',
    override: ({ jsonSchema }) => simplify(jsonSchema),
  })
  return { $schema, $id: `urn:image-intake:contract:${name}`, title: name, description, ...rest }
}

/** zod spells out the calendar, the limits of a JavaScript number, and that any field may stand in an open object. */
const simplify = (schema: z.core.JSONSchema.BaseSchema) => {
  if (schema.format === 'date-time') schema.pattern = 'Z$'
  if (schema.additionalProperties && Object.keys(schema.additionalProperties).length === 0)
    delete schema.additionalProperties
  if (schema.maximum === Number.MAX_SAFE_INTEGER) delete schema.maximum
}
