import { Ajv2020 } from 'ajv/dist/2020.js'
import addFormats from 'ajv-formats'

import { readContractFiles } from '../../tools/support/contract-files.ts'

/** What is wrong with a value by the contract file of that name, as Ajv says it; undefined when nothing is. */
export const openContracts = () => {
  const ajv = new Ajv2020({ allErrors: true })
  addFormats.default(ajv)
  const validators = new Map(
    [...readContractFiles('contracts')].map(([name, schema]) => [name, ajv.compile(schema)] as const),
  )
  return (name: string, value: unknown): string | undefined => {
    const validate = validators.get(name)
    if (!validate) return `there is no contract ${name}`
    return validate(value) ? undefined : `${ajv.errorsText(validate.errors)} in ${JSON.stringify(value)}`
  }
}
