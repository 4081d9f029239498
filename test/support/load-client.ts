import { Agent, request, type Dispatcher } from 'undici'

import { imageTypes } from '#shared/domain/images/image-types.ts'
import { purposeNames } from '#shared/domain/purposes.ts'

import { tokenOf, type Ticket } from './client.ts'
import type { PlannedFile } from './file-mix.ts'
import { goodPhoto } from './images.ts'
import { epochMs, type LoadOrder, type LoadReport, type StoredUpload } from './load-run.ts'
import { seededRandom } from './random.ts'
import { workAtRate } from './steady-rate.ts'

/*
 * Uploads at a steady rate, whether or not the answers keep up, in a process of its own: a ticket from the API and a PUT of
 * a small real image by it. Told what to do by one message, it answers with one and ends.
 */

const images = 64
const users = 50

type Template = Omit<PlannedFile, 'expected' | 'pastTheApi'> & { token: string }

const makeTemplates = async (seed: number): Promise<Template[]> => {
  const random = seededRandom(seed)
  const pick = <T>(choices: readonly T[]) => choices[Math.floor(random() * choices.length)]
  const tokens = await Promise.all(Array.from({ length: users }, (_, index) => tokenOf(`user-${index}`)))
  const make = async (_: unknown, index: number): Promise<Template> => {
    const contentType = pick(imageTypes) ?? 'image/jpeg'
    const body = await goodPhoto(contentType, { seed: index + 1 })
    const user = index % users
    const purpose = pick(purposeNames) ?? 'scan'
    return { purpose, contentType, body, userId: `user-${user}`, token: tokens[user] ?? '' }
  }
  return Promise.all(Array.from({ length: images }, make))
}

const openClient = ({ system }: LoadOrder) => {
  const dispatcher = new Agent({ connections: 100 })
  const send = async (url: string, status: number, options: Partial<Dispatcher.RequestOptions>) => {
    const answer = await request(url, { ...options, dispatcher })
    const text = await answer.body.text()
    if (answer.statusCode !== status) throw new Error(`${answer.statusCode} ${text}`)
    return text
  }
  return async (file: Template): Promise<StoredUpload> => {
    const { purpose, contentType, body, userId } = file
    const ticket = await send(`${system.api_url}/images/presigned-url/${purpose}`, 200, {
      method: 'POST',
      headers: { authorization: `Bearer ${file.token}` },
      body: JSON.stringify({ content_type: contentType, content_length: body.length }),
    })
    const { key, upload_url, required_headers } = JSON.parse(ticket) as Ticket // the API's own tests check this shape
    await send(upload_url, 200, { method: 'PUT', headers: required_headers, body })
    return { key, purpose, contentType, userId, answeredAtMs: epochMs() }
  }
}

const uploadAll = async (order: LoadOrder): Promise<LoadReport> => {
  const { rate, count } = order
  const templates = await makeTemplates(order.seed)
  const upload = openClient(order)
  const stored: StoredUpload[] = []
  const work = async (index: number) => {
    const template = templates[index % templates.length]
    if (template) stored.push(await upload(template))
  }
  return { stored, ...(await workAtRate(rate, work, (begun) => begun === count)) }
}

process.once('message', (order: LoadOrder) => {
  void uploadAll(order).then((report) => process.send?.(report, () => process.exit(0)))
})
