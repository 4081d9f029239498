import assert from 'node:assert/strict'

import type { Page } from 'playwright-core'

import { goodPhoto } from '../support/images.ts'
import type { Fault, FaultyProxy } from './faulty-proxy.ts'
import { inBrowser, type World } from './world.ts'

const claim = inBrowser()

/** A page behind the faulty proxy, with a photo chosen, and what the proxy lets through from now on. */
const openFaultyPage = async (world: World, seed: number) => {
  const bytes = await goodPhoto('image/jpeg', { width: 320, height: 240, seed })
  const page = await world.openPage([{ name: 'photo.jpg', bytes }], { proxied: true })
  return { page, puts: watchPuts(world.proxy) }
}

const watchPuts = ({ passed }: FaultyProxy) => {
  const start = passed.length
  return () => passed.slice(start).filter(({ method }) => method === 'PUT')
}

/** The fault befalls the first requests of this method. */
const atFirst = (method: string, fault: Fault, times = 1) => {
  let left = times
  return (asked: string) => (asked === method && left-- > 0 ? fault : undefined)
}

const upload = (page: Page, access: World['access']) =>
  page.evaluate(async ({ apiUrl, token }) => {
    const [{ uploadImage }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return uploadImage({ apiUrl, getToken: () => token }, 'scan', chosenFile())
  }, access)

const uploadByXhr = (page: Page, access: World['access']) =>
  page.evaluate(async ({ apiUrl, token }) => {
    const [{ uploadImage }, { putWithProgress }, { chosenFile }] = await Promise.all([
      import('/examples/browser.ts'),
      import('/examples/browser-progress.ts'),
      import('/page.ts'),
    ])
    const put = putWithProgress(() => undefined)
    return uploadImage({ apiUrl, getToken: () => token }, 'scan', chosenFile(), put)
  }, access)

for (const [how, run] of [
  ['fetch', upload],
  ['XHR', uploadByXhr],
] as const) {
  claim(`an upload by ${how} whose answer was lost meets a 412 and is found stored, once`, async (world) => {
    const { page, puts } = await openFaultyPage(world, 1)
    world.proxy.interfere(atFirst('PUT', { kind: 'answer lost' }))
    const image = await run(page, world.access)
    assert.equal(image.status, 'accepted')
    assert.deepEqual(
      puts().map(({ status }) => status),
      [200, 412],
    )
    const events = await world.eventsOn(image.key)
    assert.equal(events.filter(({ type }) => type === 'image.uploaded').length, 1)
  })

  claim(`an upload by ${how} that the network did not take is sent again by the same ticket`, async (world) => {
    const { page, puts } = await openFaultyPage(world, 2)
    world.proxy.interfere(atFirst('PUT', { kind: 'cut before' }, 3))
    const image = await run(page, world.access)
    assert.equal(image.status, 'accepted')
    assert.deepEqual(
      puts().map(({ status }) => status),
      [200],
    )
    assert.ok(puts()[0]?.url.includes(image.key))
  })
}

/** A ticket's URL as it looks ten minutes after it was signed for five. */
const ageTicket = (text: string): string => {
  const ticket = JSON.parse(text) as { upload_url: string } // by the API's contract
  const url = new URL(ticket.upload_url)
  const signedAt = new Date(Date.now() - 600_000).toISOString().replace(/[-:]|\.\d+/g, '')
  const credential = url.searchParams.get('X-Amz-Credential') ?? ''
  url.searchParams.set('X-Amz-Date', signedAt)
  url.searchParams.set('X-Amz-Credential', credential.replace(/\/\d{8}\//, `/${signedAt.slice(0, 8)}/`))
  return JSON.stringify({ ...ticket, upload_url: url.href })
}

claim('an expired ticket is refused by a 403, and a fresh one is asked for', async (world) => {
  const { page, puts } = await openFaultyPage(world, 3)
  world.proxy.interfere(atFirst('POST', { kind: 'body changed', change: ageTicket }))
  const image = await upload(page, world.access)
  assert.equal(image.status, 'accepted')
  assert.deepEqual(
    puts().map(({ status }) => status),
    [403, 200],
  )
  const [expired, fresh] = puts()
  assert.ok(fresh?.url.includes(image.key))
  assert.ok(!expired?.url.includes(image.key))
})

claim('a page sends what the ticket requires and no more that S3 would look at', async (world) => {
  const { page, puts } = await openFaultyPage(world, 4)
  await upload(page, world.access)
  const { headers = {} } = puts()[0] ?? {}
  assert.equal(headers['content-type'], 'image/jpeg')
  assert.equal(headers['if-none-match'], '*')
  assert.match(headers['x-amz-checksum-sha256']?.toString() ?? '', /^[A-Za-z0-9+/]{43}=$/)
  assert.match(headers['content-length'] ?? '', /^\d+$/)
  assert.equal(headers['authorization'], undefined)
  assert.equal(headers['transfer-encoding'], undefined)
})
