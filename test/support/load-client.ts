import { imageTypes } from '#shared/domain/images/image-types.ts'
import { purposeNames } from '#shared/domain/purposes.ts'

import { tokenOf } from './client.ts'
import type { PlannedFile } from './file-mix.ts'
import { goodPhoto } from './images.ts'
import type { LoadOrder, LoadReport, StoredUpload } from './load-run.ts'
import { seededRandom } from './random.ts'
import { openTicketedUpload, uploadInTurn } from './ticketed-upload.ts'

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

const uploadAll = async ({ system, rate, count, seed }: LoadOrder): Promise<LoadReport> => {
  const upload = openTicketedUpload()
  const store = async (file: Template): Promise<StoredUpload> => {
    const { key, answeredAtMs } = await upload(system.api_url, file)
    const { purpose, contentType, userId } = file
    return { key, purpose, contentType, userId, answeredAtMs }
  }
  return uploadInTurn(await makeTemplates(seed), store, { rate, isOver: (begun) => begun === count })
}

process.once('message', (order: LoadOrder) => {
  void uploadAll(order).then((report) => process.send?.(report, () => process.exit(0)))
})
