import assert from 'node:assert/strict'
import { suite, test } from 'node:test'

import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import fc from 'fast-check'
import { SignJWT } from 'jose'

import { openLog, type Log } from '#shared/runtime/log.ts'
import { redact } from '#shared/runtime/redact.ts'

const credentials = {
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: 'secret-of-the-test',
  sessionToken: 'opaque-session',
}
const s3 = new S3Client({ region: 'eu-central-1', credentials })
const put = new PutObjectCommand({ Bucket: 'images', Key: 'scans/20260102/user-1/0a', ContentLength: 12 })
const signedUrl = await getSignedUrl(s3, put, { expiresIn: 300 })
const attachment = { ResponseContentDisposition: 'attachment; filename="who?.jpg"' }
const signedDownload = await getSignedUrl(s3, new GetObjectCommand({ Bucket: 'images', Key: 'a b', ...attachment }))
const jwt = await new SignJWT({ sub: 'user-1' }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.alloc(32, 7))
const signature = /X-Amz-Signature=(\w+)/.exec(signedUrl)?.[1] ?? assert.fail('the SDK signed nothing')
const secrets = [signature, 'AKIAEXAMPLE', 'opaque-session', ...jwt.split('.'), 'opaque-token', 'X-Amz-Signature=']

/** What `write` logs, as text and as the fields of its last line. */
const logged = (write: (log: Log) => void) => {
  const lines: string[] = []
  write(openLog({ name: 'api', level: 'trace', destination: { write: (line) => void lines.push(line) } }))
  const text = lines.join('')
  return { text, fields: JSON.parse(lines.at(-1) ?? '') as Record<string, unknown> }
}
const assertSilent = (text: string) => {
  for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} stands in ${text}`)
}

suite('openLog', () => {
  test('writes JSON lines with an ISO time and the level as a word', () => {
    const { text, fields } = logged((log) => log.child({ part: 'watcher' }).warn({ size: 3 }, 'hello'))
    assert.ok(text.endsWith('}\n'))
    const { time, ...rest } = fields
    assert.match(String(time), /^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
    assert.deepEqual(rest, { level: 'warn', name: 'api', part: 'watcher', size: 3, msg: 'hello' })
  })

  test('tells an error with its type, message, stack and causes', () => {
    const err = new TypeError('outer', { cause: new RangeError('inner') })
    for (const field of ['err', 'reason', 'error']) {
      const { fields } = logged((log) => log.error({ [field]: err }, 'failed'))
      const told = fields[field] as Record<string, unknown> & { cause: Record<string, unknown> }
      assert.deepEqual(
        [told['type'], told['message'], told.cause['type'], told.cause['message']],
        ['TypeError', 'outer', 'RangeError', 'inner'],
      )
      assert.match(String(told['stack']), /log\.test/)
    }
  })

  const nested = { a: [{ b: { url: signedUrl, download: signedDownload, jwt } }] }
  const cases: Record<string, (log: Log) => void> = {
    'a message': (log) => log.info(`PUT ${signedUrl} by ${jwt}`),
    'a nested field': (log) => log.info(nested),
    'JSON inside a message': (log) => log.info(JSON.stringify(nested)),
    'JSON inside JSON inside a message': (log) => log.info(JSON.stringify({ body: JSON.stringify(nested) })),
    'a URL inside a URL': (log) => log.info(`https://a.example/?next=${encodeURIComponent(signedUrl)}&a=b`),
    'a URL inside XML': (log) => log.info(`<Url>${signedUrl.replaceAll('&', '&amp;')}</Url>`),
    "an error's message": (log) => log.error(new Error(`no answer from ${signedUrl}\n${jwt}\nBearer opaque-token`)),
    "an error's stack": (log) =>
      log.error({ err: Object.assign(new Error('x'), { stack: `at\n${signedUrl}\n${jwt}` }) }),
    "an error's cause": (log) => log.error(new Error('x', { cause: new Error(`${signedDownload}${jwt}`) })),
    'errors of an AggregateError': (log) => log.error(new AggregateError([new Error(signedUrl)], 'all failed')),
    'a field of an error': (log) =>
      log.error(Object.assign(new Error('x'), { request: { headers: { Authorization: `Bearer ${jwt}` } } })),
    'a header': (log) => log.info({ headers: { authorization: 'opaque-token', Cookie: 'opaque-token' } }),
    'a list of headers': (log) => log.info({ rawHeaders: ['Authorization', 'Bearer opaque-token'] }),
    'a SigV4 header': (log) =>
      log.info(`AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20260102/x, SignedHeaders=host, Signature=${signature}`),
    'headers as text': (log) =>
      log.info(`x-amz-security-token: ${credentials.sessionToken}\nauthorization: bearer opaque-token`),
    'telling keys': (log) =>
      log.info({ a: { token: 'opaque-token', upload_url: 'opaque-token', password: 'opaque-token"\\' } }),
    'secret keys': (log) =>
      log.info({ secret_access_key: 'opaque-token', secretAccessKey: 'opaque-token', session_token: 'opaque-token' }),
    'telling keys of JSON inside a message': (log) =>
      log.info(JSON.stringify({ token: 'opaque-token', body: JSON.stringify({ password: 'opaque-token' }) })),
    'bindings of a child': (log) => log.child({ jwt, signedUrl }).info('x'),
    'a formatted message': (log) => log.info('to %s with %o', signedUrl, { token: jwt }),
    'a fatal line': (log) => log.fatal(new Error(signedUrl)),
  }
  for (const [place, write] of Object.entries(cases))
    test(`lets no secret out of ${place}, in a line that stays JSON`, () => assertSilent(logged(write).text))

  test('keeps what is not secret', () => {
    const { text } = logged((log) => log.info({ url: signedUrl, tokens: 3, etag: '"abc"' }, 'the bearer of news?'))
    assert.match(text, /scans\/20260102\/user-1\/0a\?\[redacted\]"/)
    assert.match(text, /"tokens":3,"etag":"\\"abc\\""/)
  })
})

suite('redact', () => {
  test('leaves any JSON valid, and of what is not secret the same', () => {
    const bits = fc.constantFrom(
      '"',
      '\\',
      '?',
      'X-Amz-Signature=',
      'token',
      ': ',
      'eyJ',
      '.',
      'Bearer ',
      '\n',
      'é',
      ' ',
      ',',
    )
    const text = fc.array(bits).map((parts) => parts.join(''))
    const member = fc.constantFrom('token', 'password', 'a', 'authorization')
    const value = fc.oneof(
      text,
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.dictionary(member, text),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(member, text), value), value, (fields, other) => {
        const line = JSON.stringify({ fields, twice: JSON.stringify(fields), other })
        assert.deepEqual(Object.keys(JSON.parse(redact(line)) as object), ['fields', 'twice', 'other'])
      }),
    )
  })

  test('takes a moment for 64 KB of hostile text', () => {
    const hostile = [
      '?',
      'eyJ',
      '\\',
      '"token":',
      'Bearer ',
      'X-Amz-Signature',
      'Signature=',
      '?X-Amz-',
      '"token":"\\',
      'eyJ.',
      '\\"token\\":',
    ]
    for (const bit of hostile) {
      const started = performance.now()
      redact(bit.repeat(Math.ceil(65_536 / bit.length)))
      const tookMs = performance.now() - started
      assert.ok(tookMs < 500, `${bit}: ${tookMs} ms`)
    }
  })
})
