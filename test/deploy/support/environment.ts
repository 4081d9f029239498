import { z } from 'zod'

import { eventLogVariables } from '#shared/adapters/event-log.ts'
import type { Variables } from '#shared/runtime/config.ts'
import { processVariables } from '#shared/runtime/run.ts'

import { apiServiceVariables } from '../../../services/api/main.ts'
import { scanDispatcherVariables } from '../../../services/scan-dispatcher/main.ts'
import { uploadWatcherVariables } from '../../../services/upload-watcher/main.ts'
import { provisionVariables } from '../../../tools/support/variables.ts'
import { containerOf, ofKind, type Manifest, type Workload } from './manifests.ts'

/** What the program of each workload reads. */
export const variablesOf: Readonly<Record<string, Variables>> = {
  api: { ...processVariables, ...apiServiceVariables },
  'upload-watcher': { ...processVariables, ...uploadWatcherVariables },
  'scan-dispatcher': { ...processVariables, ...scanDispatcherVariables },
  provision: provisionVariables,
  // The region only where Kafka takes credentials of AWS.
  topics: { ...eventLogVariables, AWS_REGION: provisionVariables.AWS_REGION },
}

const configMapSchema = z.looseObject({ data: z.record(z.string(), z.string()) })

export const readConfigMap = (manifests: readonly Manifest[], name: string): Record<string, string> => {
  const found = ofKind(manifests, 'ConfigMap').find(({ metadata }) => metadata.name === name)
  if (!found) throw new Error(`there is no ConfigMap ${name}`)
  return configMapSchema.parse(found).data
}

/** A pod's environment; what a Secret will give is the example of its variable, which is a right value by another test. */
export const environmentOf = (workload: Workload, manifests: readonly Manifest[]): Record<string, string> => {
  const { envFrom, env } = containerOf(workload)
  const shared = envFrom.flatMap(({ configMapRef }) => Object.entries(readConfigMap(manifests, configMapRef.name)))
  const variables = variablesOf[workload.metadata.name] ?? {}
  const own = env.map((one): [string, string] => [
    one.name,
    'value' in one ? one.value : (variables[one.name]?.example ?? ''),
  ])
  return Object.fromEntries([...shared, ...own])
}
