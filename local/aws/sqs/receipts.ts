import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'

import type { Database } from '../database.ts'
import { sqsError } from './errors.ts'

/** One receive of one message: a later receive of the same message has another `receiveCount`. */
export type Receipt = { id: number; receiveCount: number }

export type Receipts = {
  issue: (queue: string, receipt: Receipt) => string
  /** @throws AwsError ReceiptHandleIsInvalid when it was not issued here for this queue */
  parse: (queue: string, handle: string) => Receipt
}

/** Receipt handles are signed, so that an old one is told from one that never was, also after a restart. */
export const openReceipts = (database: Database): Receipts => {
  database
    .prepare("INSERT INTO secrets VALUES ('receipts', ?) ON CONFLICT DO NOTHING")
    .run(randomBytes(32).toString('hex'))
  const secret =
    database.prepare<{ value: string }>("SELECT value FROM secrets WHERE name = 'receipts'").get()?.value ?? ''
  const sign = (queue: string, text: string) => createHmac('sha256', secret).update(`${queue} ${text}`).digest()
  return {
    issue: (queue, { id, receiveCount }) => {
      const text = `${id}.${receiveCount}`
      return Buffer.from(`${text}.${sign(queue, text).toString('hex')}`).toString('base64')
    },
    parse: (queue, handle) => {
      const parts = /^((\d{1,15})\.(\d{1,9}))\.([0-9a-f]{64})$/.exec(Buffer.from(handle, 'base64').toString('latin1'))
      const [, text = '', id = '', receiveCount = '', signature = ''] = parts ?? []
      if (!parts || !timingSafeEqual(sign(queue, text), Buffer.from(signature, 'hex')))
        throw sqsError(
          'ReceiptHandleIsInvalid',
          `The input receipt handle "${handle}" is not a valid receipt handle.`,
          404,
        )
      return { id: Number(id), receiveCount: Number(receiveCount) }
    },
  }
}
