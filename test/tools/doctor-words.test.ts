import assert from 'node:assert/strict'
import { createServer, type IncomingMessage } from 'node:http'
import { test, type TestContext } from 'node:test'

import { listen } from '#shared/runtime/listen.ts'

import { doctorClient } from '../../tools/support/doctor-client.ts'
import { examineLocks, type Examined } from '../../tools/support/examine-locks.ts'
import { locks, type Attempt, type StoreAnswer } from '../../tools/support/locks.ts'
import { runTool } from '../support/run-tool.ts'

/** Beyond the ports that are given out. */
const nowhere = 'http://127.0.0.1:61999'

const image = Uint8Array.from([1, 2, 3])

type Answer = { status: number; body?: unknown; headers?: Record<string, string> }

/** Something that answers at the API's address. */
const openApi = async (context: TestContext, answer: (request: IncomingMessage) => Answer) => {
  const server = createServer((request, response) => {
    const { status, body = '', headers = {} } = answer(request)
    response.writeHead(status, headers).end(typeof body === 'string' ? body : JSON.stringify(body))
  })
  const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
  context.after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${port}`
}
const ticketOf = (store: string) => {
  const key = `chat/20260101/u/${'0'.repeat(32)}`
  return { key, upload_url: `${store}/images/${key}?X-Amz-Signature=0`, required_headers: {}, expires_in: 300 }
}
const doctor = (api: string, token: string, ...more: string[]) =>
  runTool('doctor', ['--api', api, '--token', token, ...more], {})

test('of an API with several addresses, of which none answers, the first one’s failure is told', async (context) => {
  const { fetch } = globalThis
  context.after(() => (globalThis.fetch = fetch))
  const failures = ['::1', '127.0.0.1'].map((address) => new Error(`connect ECONNREFUSED ${address}:3000`))
  // As Node's fetch fails for a name that leads to both.
  globalThis.fetch = () => Promise.reject(new TypeError('fetch failed', { cause: new AggregateError(failures) }))
  const asked = doctorClient('http://localhost:3000', 'x').askTicket(image, { checksum: false })
  await assert.rejects(asked, { message: 'no answer from http://localhost:3000: connect ECONNREFUSED ::1:3000' })
})

test('an address without its scheme is told as that', async () => {
  for (const api of ['localhost:3000', 'api.example.com', 'ftp://api.example.com', '']) {
    const { code, lines } = await doctor(api, 'x')
    assert.deepEqual(
      [code, lines[0]],
      [2, `--api ${JSON.stringify(api)} is no address that begins with http:// or https://`],
    )
  }
})

test('a token that cannot be one is told as that, and not shown', async () => {
  const empty = await doctor(nowhere, '')
  assert.deepEqual([empty.code, empty.lines[0]], [2, '--token is empty'])
  const broken = await doctor(nowhere, 'very\nsecret')
  assert.deepEqual([broken.code, broken.lines[0]], [2, '--token holds a character that no token has'])
  assert.doesNotMatch(broken.output, /secret/)
})

test('the line end of a token that was read from a file is none of it', async (context) => {
  const seen: unknown[] = []
  const api = await openApi(context, ({ headers }) => {
    seen.push(headers.authorization)
    return { status: 401, body: { code: 'token_expired', detail: 'The token has expired.' } }
  })
  const { code, output } = await doctor(api, 'abc\n')
  assert.deepEqual([code, output.trim()], [1, 'the API gave no ticket: 401 token_expired: The token has expired.'])
  assert.deepEqual(seen, ['Bearer abc'])
})

test('an address that is not the API’s is told as that', async (context) => {
  const page = await openApi(context, () => ({ status: 404, body: '<html>' }))
  const { code, output } = await doctor(page, 'x')
  assert.deepEqual(
    [code, output.trim()],
    [1, 'the API gave no ticket: it answered 404. Is this the address of the API?'],
  )
  const headers = { location: 'https://api.example.com/images/presigned-url/chat' }
  const moved = await openApi(context, () => ({ status: 308, headers }))
  assert.equal(
    (await doctor(moved, 'x')).output.trim(),
    'the API gave no ticket: it answered 308 and points to https://api.example.com/images/presigned-url/chat',
  )
  const other = await openApi(context, () => ({ status: 200, body: '<html>' }))
  assert.match((await doctor(other, 'x')).output, /^the API's ticket is none: /)
})

test('tickets are for chat images, or for profile images where chat images get jobs too', async (context) => {
  const asked: (string | undefined)[] = []
  const api = await openApi(context, ({ method, url }) => {
    if (method === 'POST') asked.push(url)
    return { status: 503 }
  })
  await doctor(api, 'x')
  await doctor(api, 'x', '--purpose', 'profile')
  assert.deepEqual(asked, ['/images/presigned-url/chat', '/images/presigned-url/profile'])
  const { code, lines } = await doctor(api, 'x', '--purpose', 'scan')
  assert.deepEqual([code, lines[0]], [2, '--purpose scan is none of chat, profile: no paid job may start'])
})

test('where the store cannot be reached nothing is judged', async (context) => {
  const api = await openApi(context, ({ method }) =>
    method === 'DELETE' ? { status: 204 } : { status: 200, body: ticketOf(nowhere) },
  )
  const { code, output } = await doctor(api, 'x')
  assert.deepEqual(
    [code, output.trim()],
    [1, `cannot judge: the honest PUT had no answer from ${nowhere}: connect ECONNREFUSED 127.0.0.1:61999`],
  )
})

test('where the honest PUT is refused nothing is judged', async (context) => {
  const store = await openApi(context, () => ({ status: 403, body: '<Error><Code>InvalidAccessKeyId</Code></Error>' }))
  const api = await openApi(context, () => ({ status: 200, body: ticketOf(store) }))
  const { code, output } = await doctor(api, 'x')
  assert.equal(code, 1)
  assert.match(output, /^cannot judge: the honest PUT was answered with 403 InvalidAccessKeyId$/m)
  assert.doesNotMatch(output, /holds/)
})

test('a store that lets everything in is told lock by lock, in a last line, and by exit code 1', async (context) => {
  const store = await openApi(context, () => ({ status: 200, headers: { 'access-control-allow-origin': '*' } }))
  const api = await openApi(context, ({ method }) => {
    if (method === 'GET') return { status: 200, body: { status: 'accepted' } }
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: ticketOf(store) }
  })
  const { code, lines, output } = await doctor(api, 'x', '--skip-expiry')
  const tried = locks.filter(({ ground }) => ground !== 'expired')
  assert.deepEqual([code, lines.at(-1)], [1, `not held: ${tried.map(({ name }) => name).join(', ')}`])
  for (const { name, breach } of tried) assert.match(output, new RegExp(`^${name} +BROKEN +200: ${breach}$`, 'm'))
})

test('what nobody knows is told apart from what does not hold, and is no success', async (context) => {
  const store = await openApi(context, ({ method, headers }) =>
    method === 'PUT' && headers['x-amz-acl'] === undefined ? { status: 200 } : { status: 502, body: '<html>' },
  )
  const api = await openApi(context, ({ method }) => {
    if (method === 'GET') return { status: 200, body: { status: 'accepted' } }
    return method === 'DELETE' ? { status: 204 } : { status: 200, body: ticketOf(store) }
  })
  const { code, lines } = await doctor(api, 'x', '--skip-expiry')
  assert.equal(code, 1)
  assert.match(lines.at(-1) ?? '', /^not held: longer body, .*; unclear: added ACL, GET by a ticket, /)
})

const stored: StoreAnswer = { status: 200, code: undefined, allowedOrigin: null }

/** Examines a store that is made of answers; gives what happened in its order. */
const examine = async (send: (attempt: Attempt) => StoreAnswer) => {
  const happened: string[] = []
  const found: Examined[] = []
  let made = 0
  const place = {
    askTicket: () => Promise.resolve({ ...ticketOf('http://store'), key: `key-${made++}` }),
    send: (attempt: Attempt) => Promise.resolve().then(() => send(attempt)),
    remove: (key: string) => Promise.resolve(void happened.push(`remove ${key}`)),
    sleep: () => Promise.resolve(void happened.push('wait')),
    nowMs: () => 0,
  }
  const onExamined = (examined: Examined) => void found.push(examined)
  await examineLocks(place, { locks, image }, { onStored: () => Promise.resolve(), onExamined })
  return { happened, found }
}

test('a store that hangs up on an attack leaves that lock unclear, and the others are tried', async () => {
  const { found } = await examine(({ body }) => {
    if ((body?.length ?? 0) > image.length) throw new Error('no answer from http://store: other side closed')
    return stored
  })
  assert.equal(found.length, locks.length)
  const unclear = found.filter(({ finding }) => finding === 'unclear')
  assert.deepEqual(
    unclear.map(({ lock, detail }) => [lock.name, detail]),
    [['longer body', 'no answer from http://store: other side closed']],
  )
})

test('a lock that needs an image stored is unclear when that one is not taken', async () => {
  let puts = 0
  const { found } = await examine(({ method }) =>
    method === 'PUT' && ++puts > 1 ? { status: 503, code: 'SlowDown', allowedOrigin: null } : stored,
  )
  const second = found.find(({ lock }) => lock.name === 'second PUT')
  assert.deepEqual([second?.finding, second?.detail], ['unclear', 'the honest PUT was answered with 503 SlowDown'])
})

test('what was stored is deleted before the long wait, and what the last attack stored after it', async () => {
  const { happened } = await examine(() => stored)
  const wait = happened.indexOf('wait')
  const before = new Set(happened.slice(0, wait))
  for (let key = 1; key <= locks.length; key++) assert.ok(before.has(`remove key-${key}`), `key-${key}`)
  assert.deepEqual(happened.slice(wait + 1), ['remove key-0'])
})

const preflights: [string, StoreAnswer, string][] = [
  ['names every origin', { ...stored, allowedOrigin: '*' }, 'broken'],
  ['names the asking one', { ...stored, allowedOrigin: 'https://origin.invalid' }, 'broken'],
  ['names none', stored, 'holds'],
  ['names another', { ...stored, allowedOrigin: 'https://app.example.com' }, 'holds'],
  ['is S3’s refusal', { status: 403, code: 'AccessForbidden', allowedOrigin: null }, 'holds'],
  ['is a proxy’s page', { status: 403, code: undefined, allowedOrigin: null }, 'unclear'],
  ['is of another kind', { status: 400, code: 'BadRequest', allowedOrigin: null }, 'unclear'],
  ['is an outage', { status: 503, code: 'SlowDown', allowedOrigin: null }, 'unclear'],
]
for (const [what, answer, finding] of preflights) {
  test(`an answer to a preflight that ${what} is judged as ${finding}`, () => {
    assert.equal(locks.find(({ name }) => name === 'foreign origin')?.judge(answer), finding)
  })
}
