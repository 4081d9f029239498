import { z } from 'zod'

import { findLocalSystem } from './support/local-system.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run expire -- [--at ISO-DATE]
Applies the lifecycle rules of the running local system's buckets now, as S3 does once a day: what is kept no longer goes.
--at takes another moment for now, a date (its midnight UTC) or a date and time. Example: npm run expire -- --at 2030-01-01`

const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })]).optional()
const answerSchema = z.object({ expired: z.int() })

const askToExpire = async (awsUrl: string, at: string | undefined): Promise<number> => {
  const answer = await fetch(`${awsUrl}/_local/expire`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ at }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`the local system refused (${answer.status}): ${text.trim()}`)
  return answerSchema.parse(JSON.parse(text)).expired
}

await runTool({ usage, options: { at: { type: 'string' } } }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const at = momentSchema.safeParse(values['at'])
  if (!at.success) throw new UsageError(`${String(values['at'])} is no date such as 2030-01-01 or 2030-01-01T12:00:00Z`)
  const expired = await askToExpire(findLocalSystem().aws_url, at.data)
  console.log(`expired: ${expired}`)
})
