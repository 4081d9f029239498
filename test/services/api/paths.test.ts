import assert from 'node:assert/strict'
import test from 'node:test'

import { assertProblem, openTestApi, signTestToken, testKey } from '../../support/api.ts'

const userId = 'a/b_ü'
const key = testKey('scan', userId)
const token = await signTestToken({ sub: userId })

const openWithImages = async () => {
  const api = await openTestApi()
  for (const owner of [userId, 'user-2']) {
    for (const purpose of ['scan', 'profile', 'chat'] as const) {
      api.images.upload({ key: testKey(purpose, owner), bytes: Buffer.from('x'), contentType: 'image/png' })
    }
  }
  return api
}

/** What became of an image when its path was written so. */
const reach = async (path: string) => {
  const api = await openWithImages()
  const { status } = await api.request('GET', `/images/${path}/metadata`, { token })
  const removal = await api.request('DELETE', `/images/${path}`, { token })
  return { status, removal, left: [...api.images.objects.keys()] }
}

const encodeAll = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')

const sameKey: [string, string][] = [
  ['raw', key],
  ['percent-encoded', encodeURIComponent(key)],
  ['percent-encoded in lower case', encodeURIComponent(key).replaceAll('%2F', '%2f')],
  ['percent-encoded in part', key.replace('/', '%2F')],
  ['percent-encoded in every character', encodeAll(key)],
]

for (const [what, path] of sameKey) {
  test(`a key that is ${what} names its image and no other`, async () => {
    const { status, removal, left } = await reach(path)
    assert.deepEqual({ status, removal: removal.status, left: left.length }, { status: 200, removal: 204, left: 5 })
    assert.ok(!left.includes(key))
  })
}

const [prefix = '', date = '', user = '', id = ''] = key.split('/')
const theirs = testKey('scan', 'user-2')

const noKey: [string, string][] = [
  ['doubly encoded', encodeURIComponent(encodeURIComponent(key))],
  ['with encoded dots', `${prefix}/${date}/x/%2e%2e/${user}/${id}x`],
  ['with doubly encoded dots', `${prefix}/%252e%252e/${key}`],
  ['with encoded dots and slashes', `profiles%2F..%2F${encodeURIComponent(key)}`],
  ["going round by another's folder", `${prefix}/${date}/user-2%2F..%2F${user}/${id}`],
  [
    "going from the own folder to another's",
    `${prefix}/${date}/${user}%2F..%2F${theirs.split('/').slice(2).join('/')}`,
  ],
  ['with NUL at its end', `${key}%00`],
  ['with NUL inside', key.replace('/', '%00/')],
  ['with a line feed', `${key}%0A`],
  ['with a line feed before', `%0a${key}`],
  ['with an invalid percent sign', `${key}%`],
  ['with an invalid percent sequence', `${key}%zz`],
  ['with a cut percent sequence', key.replace('/', '%2')],
  ['with overlong slashes', key.replaceAll('/', '%c0%af')],
  ['with overlong dots', `x/%c0%ae%c0%ae/${key}`],
  ['with bytes that are no UTF-8', `${key}%ff%fe`],
  ['with a fullwidth slash', key.replaceAll('/', '%EF%BC%8F')],
  ['with backslashes', key.replaceAll('/', '%5C')],
  ['with a slash before', `/${key}`],
  ['with an encoded slash before', `%2F${key}`],
  ['with a slash after', `${key}/`],
  ['with two slashes inside', key.replace('/', '//')],
  ['with a space after', `${key}%20`],
  ['with a plus for nothing', `${key}+`],
  ['in upper case', key.toUpperCase()],
  ['with a matrix parameter', `${key};x=1`],
  ['with the bucket before', `images-1/${key}`],
  ['a prefix only', `${prefix}/`],
  ['of 1,900 characters', `${prefix}/${'a'.repeat(1900)}`],
  ['of 900 segments', 'a/'.repeat(900)],
  ['a verdict', `verdicts/${key}`],
]

for (const [what, path] of noKey) {
  test(`a path ${what} names no image, and nothing is deleted`, async () => {
    const { status, removal, left } = await reach(path)
    assert.equal(status, 404)
    assert.ok(removal.status === 404, `${removal.status}`)
    assert.equal(left.length, 6)
  })
}

for (const [what, path] of [
  ['one segment', 'a'.repeat(8000)],
  ['4,000 segments', 'a/'.repeat(4000)],
  ["the own key and another's", `${key}/${theirs}/`.repeat(20)],
] as const) {
  test(`an overlong URL of ${what} is a 414, and nothing is deleted`, async () => {
    const api = await openWithImages()
    assertProblem(await api.request('GET', `/images/${path}/metadata`, { token }), 'url_too_long')
    assertProblem(await api.request('DELETE', `/images/${path}`, { token }), 'url_too_long')
    assert.equal(api.images.objects.size, 6)
  })
}

test('dots that URL parsers fold away lead to a route or a key by the folded path alone', async () => {
  const api = await openWithImages()
  const folded = await api.request('GET', `/images/x/../${key}/metadata`, { token })
  assert.equal(folded.status, 200)
  assertProblem(await api.request('GET', `/images/${user}/../${theirs}/metadata`, { token }), 'image_not_found')
  assertProblem(await api.request('DELETE', `/images/%2e%2e/${key}`, { token }), 'route_not_found')
  assert.equal(api.images.objects.size, 6)
})

test('a query does not belong to the key', async () => {
  const { status, removal } = await reach(key)
  assert.deepEqual([status, removal.status], [200, 204])
  const api = await openWithImages()
  assert.equal((await api.request('GET', `/images/${key}/metadata?key=${theirs}`, { token })).status, 200)
})
