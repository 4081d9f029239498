import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'

import sharp from 'sharp'

import { goodPhoto } from '../support/images.ts'
import { inBrowser } from './world.ts'

const claim = inBrowser()

const bytesPerSecond = 4_000_000

claim('an upload by XHR reports a progress that rises to the whole, and ends accepted', async (world) => {
  const noise = { width: 1400, height: 1400, channels: 3 as const }
  const picture = sharp(randomBytes(noise.width * noise.height * 3), { raw: noise })
  const bytes = await picture.png({ compressionLevel: 0 }).toBuffer()
  const page = await world.openPage([{ name: 'large.png', bytes }])
  const network = await page.context().newCDPSession(page)
  await network.send('Network.emulateNetworkConditions', {
    offline: false,
    latency: 0,
    downloadThroughput: -1,
    uploadThroughput: bytesPerSecond,
  })
  const { image, shares } = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ uploadImage }, { putWithProgress }, { chosenFile }] = await Promise.all([
      import('/examples/browser.ts'),
      import('/examples/browser-progress.ts'),
      import('/page.ts'),
    ])
    const shares: number[] = []
    const put = putWithProgress((share) => shares.push(share))
    const image = await uploadImage({ apiUrl, getToken: () => token }, 'profile', chosenFile(), put)
    return { image, shares }
  }, world.access)
  assert.equal(image.status, 'accepted')
  assert.deepEqual(
    shares,
    shares.toSorted((a, b) => a - b),
  )
  assert.ok(new Set(shares).size >= 3, `only ${shares.join(', ')}`)
  assert.ok((shares[0] ?? 1) < 1)
  assert.equal(shares.at(-1), 1)
})

claim('a header that XHR is given twice, in two cases, is joined and breaks the signature', async (world) => {
  const page = await world.openPage([{ name: 'photo.jpg', bytes: await goodPhoto('image/jpeg') }])
  const answer = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ askTicket }, { putWithProgress }, { chosenFile }] = await Promise.all([
      import('/examples/browser.ts'),
      import('/examples/browser-progress.ts'),
      import('/page.ts'),
    ])
    const ticket = await askTicket({ apiUrl, getToken: () => token }, 'profile', chosenFile())
    const required_headers = { ...ticket.required_headers, 'content-type': 'image/jpeg' }
    return putWithProgress(() => undefined)({ ...ticket, required_headers }, chosenFile())
  }, world.access)
  assert.equal(answer.status, 403)
  assert.match(answer.body, /<Code>SignatureDoesNotMatch<\/Code>/)
  assert.match(answer.body, /content-type:image\/jpeg, ?image\/jpeg/)
})
