/*
 * Loaded before a service (`node --import`), it makes the process write as one of another version does: events, jobs,
 * verdicts and notes of the ledger have fields that this version does not know, and not the newest optional ones.
 */

import { addedField } from './added-field.ts'

const optional = new Set(['has_gps', 'orientation', 'found_type', 'job_id'])

const withAdded = (fields: object) => ({ ...fields, [addedField]: { by: 'another version', list: [1, null] } })

const withoutOptional = (fields: object) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => !optional.has(name)))

/** What is no record of ours stays as it is. */
const asAnotherVersion = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('specversion' in value && 'type' in value && 'data' in value && typeof value.data === 'object' && value.data) {
    const data = withAdded(value.type === 'scan.dispatched' ? value.data : withoutOptional(value.data))
    return { ...withAdded(value), data }
  }
  return 'event_id' in value ? withAdded(value) : value
}

const write = JSON.stringify
// The overloads of the original say what the rest may be.
JSON.stringify = ((value: unknown, ...rest: []) => write(asAnotherVersion(value), ...rest)) as typeof JSON.stringify
