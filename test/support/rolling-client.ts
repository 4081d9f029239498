import { Agent, request, type Dispatcher } from 'undici'

import { tokenOf, type TestSystem, type Ticket } from './client.ts'
import { planFile, type PlannedFile } from './file-mix.ts'
import { openLoadBalancer, type Instance } from './load-balancer.ts'
import { epochMs, type StoredUpload } from './load-run.ts'
import { seededRandom } from './random.ts'
import { workAtRate } from './steady-rate.ts'

/*
 * Uploads at a steady rate through whichever instances of the API are ready, in a process of its own: a ticket and
 * the PUT by it. No call is tried twice. It is told its order, then its instances as they change, then
 * the end, and answers with one report.
 */

export type RollingOrder = { system: TestSystem; rate: number; seed: number }
export type RollingMessage = { order: RollingOrder } | { instances: readonly Instance[] } | { end: true }
export type RolledUpload = StoredUpload & Pick<PlannedFile, 'expected'> & { ticketMs: number }
export type RollingReport = { stored: RolledUpload[]; failures: string[]; seconds: number }

const files = 64

type Template = PlannedFile & { token: string }

const makeTemplates = async ({ system, seed }: RollingOrder): Promise<Template[]> => {
  const random = seededRandom(seed)
  const templates: Template[] = []
  for (let index = 0; templates.length < files; index++) {
    const file = await planFile(random, index)
    if (!file.pastTheApi) templates.push({ ...file, token: await tokenOf(file.userId, system.jwt_secret) })
  }
  return templates
}

type Balancer = ReturnType<typeof openLoadBalancer>

const openUpload = (balancer: Balancer) => {
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
  return async (file: Template): Promise<RolledUpload> => {
    const { purpose, contentType, body, userId, expected } = file
    const askedAt = performance.now()
    const ticket = await send('the ticket', `${balancer.next()}/images/presigned-url/${purpose}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${file.token}` },
      body: JSON.stringify({ content_type: contentType, content_length: body.length }),
    })
    const ticketMs = performance.now() - askedAt
    const { key, upload_url, required_headers } = JSON.parse(ticket) as Ticket // the API's own tests check this shape
    await send('the PUT', upload_url, { method: 'PUT', headers: required_headers, body })
    const answeredAtMs = epochMs()
    return { key, purpose, contentType, userId, expected, ticketMs, answeredAtMs }
  }
}

const uploadUntil = async (order: RollingOrder, balancer: Balancer, isOver: () => boolean): Promise<RollingReport> => {
  const templates = await makeTemplates(order)
  const upload = openUpload(balancer)
  const stored: RolledUpload[] = []
  const work = async (index: number) => {
    const template = templates[index % templates.length]
    if (template) stored.push(await upload(template))
  }
  return { stored, ...(await workAtRate(order.rate, work, isOver)) }
}

const balancer = openLoadBalancer()
let isOver = false
process.on('message', (message: RollingMessage) => {
  if ('instances' in message) balancer.know(message.instances)
  else if ('end' in message) isOver = true
  else
    void uploadUntil(message.order, balancer, () => isOver).then((report) => {
      balancer.close()
      process.send?.(report, () => process.exit(0))
    })
})
