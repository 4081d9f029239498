import assert from 'node:assert/strict'

import { goodPhoto } from '../support/images.ts'
import { inBrowser } from './world.ts'

const claim = inBrowser()

claim('a page of a foreign origin can neither ask for a ticket nor read an answer of the API', async (world) => {
  const page = await world.openPage([], { foreign: true })
  const outcomes = await page.evaluate(async ({ apiUrl, token }) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' }
    const body = JSON.stringify({ purpose: 'scan', content_type: 'image/jpeg', content_length: 1 })
    const results = await Promise.allSettled([
      fetch(`${apiUrl}/images/presigned-url`, { method: 'POST', headers, body }),
      fetch(`${apiUrl}/openapi.json`),
    ])
    return results.map((result) => (result.status === 'rejected' ? String(result.reason) : result.value.status))
  }, world.access)
  assert.deepEqual(outcomes, ['TypeError: Failed to fetch', 'TypeError: Failed to fetch'])
})

claim('a page of a foreign origin cannot upload by a ticket that it got hold of', async (world) => {
  const bytes = await goodPhoto('image/jpeg')
  const files = [{ name: 'photo.jpg', bytes }]
  const [own, foreign] = [await world.openPage(files), await world.openPage(files, { foreign: true })]
  const ticket = await own.evaluate(async ({ apiUrl, token }) => {
    const [{ askTicket }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return askTicket({ apiUrl, getToken: () => token }, 'profile', chosenFile())
  }, world.access)
  const outcome = await foreign.evaluate(async (stolen) => {
    const [{ putByFetch }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return putByFetch(stolen, chosenFile()).then(({ status }) => String(status), String)
  }, ticket)
  assert.equal(outcome, 'TypeError: Failed to fetch')
  // The ticket itself is good: its owner can still use it.
  const answer = await own.evaluate(async (kept) => {
    const [{ putByFetch }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return putByFetch(kept, chosenFile())
  }, ticket)
  assert.equal(answer.status, 200)
})
