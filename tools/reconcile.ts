import { purposeNames, purposeRules } from '#shared/domain/purposes.ts'
import { messageOf } from '#shared/runtime/message-of.ts'

import { openReconcilePlace } from './support/reconcile-place.ts'
import {
  describeReconcile,
  readReconcileOrder,
  reconcile,
  reconcileOptions,
  type ReconcileTally,
} from './support/reconcile.ts'
import { runTool } from './support/run-tool.ts'
import { tallyLine } from './support/tally-line.ts'

const usage = `npm run reconcile -- [--since DATE] [--purpose ${purposeNames.join('|')}] [--min-age-minutes N] [--dry-run]
Finds objects of the bucket without a verdict and has the upload-watcher look at them, as if S3 had just told of them: the
ids are the same. Can be stopped, repeated and run twice at once. --since leaves out what was stored before a date (its
midnight UTC) or a date and time, --min-age-minutes (5) what is younger; --dry-run tells the same and sends nothing.
Works on the local system, or on what the environment names (S3_BUCKET, STATE_BUCKET, UPLOADS_QUEUE_URL and AWS_REGION).
Exits 0 only if no object failed.`

await runTool({ usage, options: reconcileOptions }, async (given) => {
  const order = readReconcileOrder(given)
  const interrupted = new AbortController()
  process.once('SIGINT', () => interrupted.abort())
  process.once('SIGTERM', () => interrupted.abort())
  const { place, list, states, uploads, close } = await openReconcilePlace()
  const view = tallyLine()
  let last: ReconcileTally | undefined
  try {
    const objects = list(order.purpose ? purposeRules(order.purpose).prefix : '', interrupted.signal)
    const onProgress = (tally: ReconcileTally) => {
      last = tally
      view.draw(`${tally.seen} seen, ${tally.sent} ${order.dryRun ? 'to send' : 'sent'}, ${tally.failed} failed`)
    }
    const onFailure = (key: string, error: unknown) => view.line(`${key}  failed: ${messageOf(error)}`)
    last = await reconcile({ objects, states, uploads, place, onProgress, onFailure }, order, new Date())
  } finally {
    view.clear()
    close()
    if (last) console.log(describeReconcile(place.bucket, order, last).join('\n'))
  }
  if (interrupted.signal.aborted) throw new Error('interrupted: run it again, what has its verdict then is passed over')
  if (last.failed > 0) process.exitCode = 1
})
