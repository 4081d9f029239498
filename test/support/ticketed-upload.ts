import { Agent, request, type Dispatcher } from 'undici'

import type { Ticket } from './client.ts'
import type { PlannedFile } from './file-mix.ts'
import { epochMs } from './load-run.ts'
import { workAtRate } from './steady-rate.ts'

type TicketedFile = Pick<PlannedFile, 'purpose' | 'contentType' | 'body'> & { token: string }

/** Uploads by a ticket of the API and the PUT by it, over connections of its own; no call is tried twice. */
export const openTicketedUpload = () => {
  const dispatcher = new Agent({ connections: 100 })
  const send = async (what: string, url: string, options: Partial<Dispatcher.RequestOptions>) => {
    try {
      const answer = await request(url, { ...options, dispatcher })
      const text = await answer.body.text()
      if (answer.statusCode !== 200) throw new Error(`${answer.statusCode} ${text}`)
      return text
    } catch (error) {
      throw new Error(`${what} of ${new URL(url).host}`, { cause: error })
    }
  }
  return async (apiUrl: string, { purpose, contentType, body, token }: TicketedFile) => {
    const askedAt = performance.now()
    const ticket = await send('the ticket', `${apiUrl}/images/presigned-url/${purpose}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
      body: JSON.stringify({ content_type: contentType, content_length: body.length }),
    })
    const ticketMs = performance.now() - askedAt
    const { key, upload_url, required_headers } = JSON.parse(ticket) as Ticket // the API's own tests check this shape
    await send('the PUT', upload_url, { method: 'PUT', headers: required_headers, body })
    return { key, ticketMs, answeredAtMs: epochMs() }
  }
}

/** Uploads the files in turn, so many a second, until `isOver(begun)`. @returns what was stored, and what failed */
export const uploadInTurn = async <File, Stored>(
  files: readonly File[],
  upload: (file: File) => Promise<Stored>,
  { rate, isOver }: { rate: number; isOver: (begun: number) => boolean },
) => {
  const stored: Stored[] = []
  const work = async (index: number) => {
    const file = files[index % files.length]
    if (file) stored.push(await upload(file))
  }
  return { stored, ...(await workAtRate(rate, work, isOver)) }
}
