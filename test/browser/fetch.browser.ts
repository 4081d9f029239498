import assert from 'node:assert/strict'

import { goodPhoto, pdfBytes } from '../support/images.ts'
import { inBrowser } from './world.ts'

const claim = inBrowser()

const photo = async (seed: number) => ({
  name: 'photo.jpg',
  bytes: await goodPhoto('image/jpeg', { width: 320, height: 240, seed }),
})

claim('a photo that a page puts by fetch ends accepted, and the CDN shows it', async (world) => {
  const chosen = await photo(1)
  const page = await world.openPage([chosen])
  const image = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ uploadImage }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return uploadImage({ apiUrl, getToken: () => token }, 'profile', chosenFile())
  }, world.access)
  assert.equal(image.status, 'accepted')
  const events = await world.eventsOn(image.key)
  assert.deepEqual(
    events.map(({ type }) => type),
    ['image.uploaded'],
  )
  const seen = await fetch(image.cdn_url)
  assert.deepEqual(Buffer.from(await seen.arrayBuffer()), chosen.bytes)
})

claim('a page can read the ETag of what it has put, and it is the one that the metadata tell', async (world) => {
  const page = await world.openPage([await photo(2)])
  const { etag, image } = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ askTicket, awaitVerdict }, { chosenFile }] = await Promise.all([
      import('/examples/browser.ts'),
      import('/page.ts'),
    ])
    const intake = { apiUrl, getToken: () => token }
    const { key, upload_url, required_headers } = await askTicket(intake, 'chat', chosenFile())
    const answer = await fetch(upload_url, { method: 'PUT', headers: required_headers, body: chosenFile() })
    return { etag: answer.headers.get('ETag'), image: await awaitVerdict(intake, key) }
  }, world.access)
  assert.equal(etag, `"${image.etag}"`)
})

claim('a second PUT of the same ticket is answered 412, which the page can read, and stores nothing', async (world) => {
  const page = await world.openPage([await photo(3)])
  const { answers, image } = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ askTicket, awaitVerdict, putByFetch }, { chosenFile }] = await Promise.all([
      import('/examples/browser.ts'),
      import('/page.ts'),
    ])
    const intake = { apiUrl, getToken: () => token }
    const ticket = await askTicket(intake, 'profile', chosenFile())
    const answers = [await putByFetch(ticket, chosenFile()), await putByFetch(ticket, chosenFile())]
    return { answers, image: await awaitVerdict(intake, ticket.key) }
  }, world.access)
  assert.deepEqual(
    answers.map(({ status }) => status),
    [200, 412],
  )
  assert.match(answers[1]?.body ?? '', /<Code>PreconditionFailed<\/Code>/)
  assert.equal((await world.eventsOn(image.key)).length, 1)
})

claim('a PDF that calls itself a JPEG is stored, and its metadata tell the refusal', async (world) => {
  const page = await world.openPage([{ name: 'invoice.jpg', bytes: pdfBytes(1) }])
  const image = await page.evaluate(async ({ apiUrl, token }) => {
    const [{ uploadImage }, { chosenFile }] = await Promise.all([import('/examples/browser.ts'), import('/page.ts')])
    return uploadImage({ apiUrl, getToken: () => token }, 'scan', chosenFile())
  }, world.access)
  assert.deepEqual([image.status, image.reason], ['rejected', 'not_an_image'])
  assert.match(image.detail ?? '', /PDF/)
})

for (const name of ['photo.heic', 'photo.HEIF']) {
  claim(`${name} gets no ticket, and the page can read why`, async (world) => {
    const page = await world.openPage([{ name, bytes: Buffer.from('any bytes') }])
    const refusal = await page.evaluate(async ({ apiUrl, token }) => {
      const [{ uploadImage, RefusedError }, { chosenFile }] = await Promise.all([
        import('/examples/browser.ts'),
        import('/page.ts'),
      ])
      try {
        return await uploadImage({ apiUrl, getToken: () => token }, 'scan', chosenFile())
      } catch (error) {
        if (!(error instanceof RefusedError)) throw error
        const { status, code, message } = error
        return { status, code, message }
      }
    }, world.access)
    assert.deepEqual({ ...refusal, message: '' }, { status: 415, code: 'content_type_not_allowed', message: '' })
    assert.match('message' in refusal ? refusal.message : '', /convert the photo to JPEG before the upload/)
  })
}

/** What S3 must say of a file that is put by the ticket of a JPEG of the same length. */
const refusedFiles: [what: string, change: (bytes: Buffer) => Buffer, status: number, code: string][] = [
  ['as long, but of other bytes', (bytes) => Buffer.from(bytes).reverse(), 400, 'BadDigest'],
  ['a byte longer', (bytes) => Buffer.concat([bytes, Buffer.from([0])]), 403, 'SignatureDoesNotMatch'],
  ['a byte shorter', (bytes) => bytes.subarray(1), 403, 'SignatureDoesNotMatch'],
]

for (const [what, change, status, code] of refusedFiles) {
  claim(`a file that is ${what} than its ticket says is refused as ${code}`, async (world) => {
    const { bytes } = await photo(4)
    const page = await world.openPage([
      { name: 'promised.jpg', bytes },
      { name: 'sent.jpg', bytes: change(bytes) },
    ])
    const answer = await page.evaluate(async ({ apiUrl, token }) => {
      const [{ askTicket, putByFetch, findImage }, { chosenFiles }] = await Promise.all([
        import('/examples/browser.ts'),
        import('/page.ts'),
      ])
      const [promised, sent] = chosenFiles()
      if (!promised || !sent) throw new Error('two files were to be chosen')
      const intake = { apiUrl, getToken: () => token }
      const ticket = await askTicket(intake, 'profile', promised)
      return { ...(await putByFetch(ticket, sent)), found: (await findImage(intake, ticket.key)) ?? null }
    }, world.access)
    assert.deepEqual([answer.status, answer.found], [status, null])
    assert.match(answer.body, new RegExp(`<Code>${code}</Code>`))
  })
}

claim(
  'a page can read the request id of an answer, what is left of its calls, and when to come back',
  async (world) => {
    world.proxy.interfere((_, url) =>
      url.endsWith('/metadata')
        ? { kind: 'headers added', headers: { 'retry-after': '7', 'x-not-exposed': 'a secret' } }
        : undefined,
    )
    const page = await world.openPage([], { proxied: true })
    const read = await page.evaluate(async ({ apiUrl, token }) => {
      const key = 'profiles/user-1/0f8fad5bd9cb469fa16570867728950e'
      const headers = { Authorization: `Bearer ${token}` }
      const answer = await fetch(`${apiUrl}/images/${key}/metadata`, { headers })
      const problem = (await answer.json()) as { request_id: string } // by the API's contract
      const names = ['X-Request-Id', 'Retry-After', 'X-Not-Exposed', 'RateLimit', 'RateLimit-Policy']
      return [problem.request_id, ...names.map((name) => answer.headers.get(name))]
    }, world.access)
    assert.match(read[0] ?? '', /^[0-9a-f-]{36}$/)
    assert.deepEqual(read.slice(1, 4), [read[0], '7', null])
    assert.match(read[4] ?? '', /^"user";r=\d+;t=\d+$/)
    assert.match(read[5] ?? '', /^"user";q=\d+;w=60$/)
  },
)
