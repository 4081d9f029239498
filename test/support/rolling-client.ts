import { tokenOf, type TestSystem } from './client.ts'
import { planFile, type PlannedFile } from './file-mix.ts'
import { openLoadBalancer, type Instance } from './load-balancer.ts'
import type { StoredUpload } from './load-run.ts'
import { seededRandom } from './random.ts'
import { openTicketedUpload, uploadInTurn } from './ticketed-upload.ts'

/*
 * Uploads at a steady rate through whichever instances of the API are ready, in a process of its own. It is told its order,
 * then its instances as they change, then the end, and answers with one report.
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

const uploadUntil = async (order: RollingOrder, balancer: Balancer, isOver: () => boolean): Promise<RollingReport> => {
  const upload = openTicketedUpload()
  const store = async (file: Template): Promise<RolledUpload> => {
    const { purpose, contentType, userId, expected } = file
    return { ...(await upload(balancer.next(), file)), purpose, contentType, userId, expected }
  }
  return uploadInTurn(await makeTemplates(order), store, { rate: order.rate, isOver })
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
