import { z } from 'zod'

import { dispatchPurposeNames, type DispatchPurpose } from '#shared/domain/dispatch-policy.ts'
import { purposeNames } from '#shared/domain/purposes.ts'
import { listSchema, urlSchema, variable } from '#shared/runtime/config.ts'

const findPurpose = (name: string) => dispatchPurposeNames.find((purpose) => purpose === name)
const undated = purposeNames.filter((name) => !findPurpose(name))

const purposesSchema = listSchema
  .refine((names) => names.every(findPurpose), {
    error: `is not of ${dispatchPurposeNames.join(', ')} alone (the keys of ${undated.join(', ')} carry no date)`,
  })
  .transform((names): readonly DispatchPurpose[] => names.flatMap((name) => findPurpose(name) ?? []))

export const dispatcherVariables = {
  JOBS_QUEUE_URL: variable(
    'FIFO queue of the vision jobs.',
    'https://sqs.eu-central-1.amazonaws.com/123456789012/vision-analysis-jobs.fifo',
    urlSchema.refine((url) => url.endsWith('.fifo'), { error: 'does not name a FIFO queue (its name ends in .fifo)' }),
  ),
  DISPATCH_PURPOSES: variable(
    'Purposes whose images become vision jobs, separated by commas: scan, chat.',
    'scan',
    purposesSchema.default(['scan']),
  ),
  KAFKA_GROUP_ID: variable(
    "Group under which the dispatcher's position in the log is kept.",
    'scan-dispatcher',
    z.string().min(1).default('scan-dispatcher'),
  ),
}
