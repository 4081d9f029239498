import { z } from 'zod'

import { findLocalSystem } from './support/local-system.ts'
import { noMoment, parseMoment } from './support/moment.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const usage = `npm run expire -- [--at ISO-DATE]
Applies the lifecycle rules of the running local system's buckets now, as S3 does once a day: what is kept no longer goes.
--at takes another moment for now, a date (its midnight UTC) or a date and time. Example: npm run expire -- --at 2030-01-01`

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
  const given = values['at']
  const at = parseMoment(given)
  if (given !== undefined && !at) throw new UsageError(`${String(given)} ${noMoment}`)
  const expired = await askToExpire(findLocalSystem().aws_url, at?.toISOString())
  console.log(`expired: ${expired}`)
})
