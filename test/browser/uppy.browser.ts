import assert from 'node:assert/strict'

import type { Page } from 'playwright-core'

import { goodPhoto } from '../support/images.ts'
import { inBrowser, type World } from './world.ts'

const claim = inBrowser()

const photos = (seeds: readonly number[]) =>
  Promise.all(
    seeds.map(async (seed) => ({
      name: `photo ${seed}.jpg`,
      bytes: await goodPhoto('image/jpeg', { width: 160, height: 120, seed }),
    })),
  )

/** Lets Uppy upload all chosen files, and awaits the verdict on each that it says is stored. */
const uploadAll = (page: Page, access: World['access']) =>
  page.evaluate(async ({ apiUrl, token }) => {
    const [{ openUppy }, { awaitVerdict }, { chosenFiles }] = await Promise.all([
      import('/examples/uppy.ts'),
      import('/examples/browser.ts'),
      import('/page.ts'),
    ])
    const intake = { apiUrl, getToken: () => token }
    const uppy = openUppy({ ...intake, purpose: 'scan' })
    uppy.addFiles(chosenFiles().map((data) => ({ name: data.name, type: data.type, data })))
    const { successful = [], failed = [] } = (await uppy.upload()) ?? {}
    const keys = successful.map(({ response }) => response?.body?.key ?? '')
    return {
      images: await Promise.all(keys.map((key) => awaitVerdict(intake, key))),
      locations: successful.map(({ uploadURL }) => uploadURL),
      percentages: successful.map(({ progress }) => progress.percentage),
      failures: failed.map(({ error }) => error),
      error: uppy.getState().error ?? null,
    }
  }, access)

claim('Uppy uploads three files by tickets, and each gets its event', async (world) => {
  const chosen = await photos([1, 2, 3])
  const page = await world.openPage(chosen)
  const { images, percentages, failures } = await uploadAll(page, world.access)
  assert.deepEqual(failures, [])
  assert.deepEqual(percentages, [100, 100, 100])
  assert.deepEqual(
    images.map(({ status }) => status),
    ['accepted', 'accepted', 'accepted'],
  )
  const events = await Promise.all(images.map(({ key }) => world.eventsOn(key)))
  assert.deepEqual(
    events.map((of) => of.find(({ type }) => type === 'image.uploaded')?.data.size),
    chosen.map(({ bytes }) => bytes.length),
  )
})

claim('an upload of Uppy whose answer was lost counts as stored, and is stored once', async (world) => {
  const page = await world.openPage(await photos([4]), { proxied: true })
  let isLost = false
  world.proxy.interfere((method) => {
    if (method !== 'PUT' || isLost) return undefined
    isLost = true
    return { kind: 'answer lost' }
  })
  const start = world.proxy.passed.length
  const { images, locations, failures, error } = await uploadAll(page, world.access)
  assert.deepEqual([failures, error], [[], null])
  assert.deepEqual(
    images.map(({ status }) => status),
    ['accepted'],
  )
  const puts = world.proxy.passed.slice(start).filter(({ method }) => method === 'PUT')
  assert.deepEqual(
    puts.map(({ status }) => status),
    [200, 412],
  )
  assert.ok(locations[0]?.endsWith(images[0]?.key ?? '?'))
})

claim('what the API refuses is told by Uppy in its words', async (world) => {
  const page = await world.openPage(await photos([5]))
  const { images, failures } = await uploadAll(page, { ...world.access, token: 'none' })
  assert.deepEqual(images, [])
  assert.match(failures[0] ?? '', /^[A-Z].+ .+\.$/)
})
