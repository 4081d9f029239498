import { z } from 'zod'

import { variable, wholeNumber } from '#shared/runtime/config.ts'

export const watcherVariables = {
  BUCKET_ACCOUNT: variable(
    "Account that the images' bucket belongs to. When set, what a notification tells of another account is put aside.",
    '123456789012',
    z
      .string()
      .regex(/^\d{12}$/, { error: 'is not an account of 12 digits' })
      .optional(),
  ),
  REJECTED_ACTION: variable(
    'What becomes of an object that was rejected: keep or delete. Its verdict is kept in any case.',
    'delete',
    z.enum(['keep', 'delete'], { error: 'is neither keep nor delete' }).default('keep'),
  ),
  UPLOADS_VISIBILITY_SECONDS: variable(
    'How long a message in hand stays hidden; renewed every third of it. After a crash it comes back so late.',
    '30',
    wholeNumber({ min: 2, max: 3600 }).default(30),
  ),
}
