import assert from 'node:assert/strict'
import { suite, test, type TestContext } from 'node:test'

import { Counter } from 'prom-client'

import { healthServer, type Check } from '#shared/runtime/health.ts'
import { ListenError } from '#shared/runtime/listen.ts'
import { openMetrics } from '#shared/runtime/metrics.ts'

/** A health server on a free port; `stop` and `close` are its two signals. */
const openHealth = async (context: TestContext, checks: readonly Check[] = []) => {
  const registry = openMetrics({ defaults: false })
  new Counter({ name: 'images_total', help: 'Images.', registers: [registry] }).inc(3)
  const { url, port, part } = await healthServer({ host: '127.0.0.1', port: 0, registry, checks })
  const [stop, deadline] = [new AbortController(), new AbortController()]
  const running = part.run({ stop: stop.signal, deadline: deadline.signal })
  const close = async () => {
    stop.abort()
    deadline.abort()
    await running
  }
  context.after(close)
  const get = (path: string, method = 'GET') => fetch(url + path, { method })
  return { get, port, stop: () => stop.abort(), close }
}

suite('healthServer', () => {
  test('is alive and ready when every check is fine', async (context) => {
    const { get } = await openHealth(context, [{ name: 'S3', problem: () => undefined }])
    const [alive, ready] = await Promise.all([get('/healthz'), get('/readyz?verbose')])
    assert.deepEqual([alive.status, await alive.json()], [200, { status: 'ok' }])
    assert.deepEqual([ready.status, await ready.json()], [200, { status: 'ready', problems: {} }])
  })

  test('is alive but not ready when a check has a problem, throws or hangs', async (context) => {
    const { get } = await openHealth(context, [
      { name: 'S3', problem: () => 'is away' },
      { name: 'SQS', problem: () => Promise.reject(new Error('no answer: Bearer opaque-token')) },
      { name: 'Kafka', problem: () => new Promise(() => undefined) },
      { name: 'fine', problem: () => Promise.resolve(undefined) },
    ])
    const ready = await get('/readyz')
    const problems = { S3: 'is away', SQS: 'no answer: Bearer [redacted]', Kafka: 'did not answer within 1 s' }
    assert.deepEqual([ready.status, await ready.json()], [503, { status: 'not ready', problems }])
    assert.equal((await get('/healthz')).status, 200)
  })

  test('every check is a metric too, for alerts', async (context) => {
    let problem: string | undefined = 'is away'
    const { get } = await openHealth(context, [
      { name: 'S3', problem: () => problem },
      { name: 'SQS', problem: () => undefined },
    ])
    const read = async () => (await (await get('/metrics')).text()).match(/^image_intake_check_failed.*$/gm)
    assert.deepEqual(await read(), [
      'image_intake_check_failed{check="S3"} 1',
      'image_intake_check_failed{check="SQS"} 0',
    ])
    problem = undefined
    assert.deepEqual(await read(), [
      'image_intake_check_failed{check="S3"} 0',
      'image_intake_check_failed{check="SQS"} 0',
    ])
  })

  test('is alive but not ready from stop on, and gone after its deadline', async (context) => {
    const { get, stop, close } = await openHealth(context)
    stop()
    const ready = await get('/readyz')
    assert.deepEqual(
      [ready.status, await ready.json()],
      [503, { status: 'not ready', problems: { process: 'is stopping' } }],
    )
    assert.equal((await get('/healthz')).status, 200)
    await close()
    await assert.rejects(get('/healthz'))
  })

  test('tells its metrics in the content type of Prometheus', async (context) => {
    const { get } = await openHealth(context)
    const metrics = await get('/metrics')
    assert.match(metrics.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/)
    assert.match(await metrics.text(), /^images_total 3$/m)
  })

  test('answers HEAD without a body, another method with 405 and another path with 404', async (context) => {
    const { get } = await openHealth(context)
    const head = await get('/healthz', 'HEAD')
    assert.deepEqual([head.status, head.headers.get('content-length'), await head.text()], [200, '16', ''])
    const post = await get('/healthz', 'POST')
    assert.deepEqual([post.status, post.headers.get('allow')], [405, 'GET, HEAD'])
    for (const path of ['/', '/healthz/', '/constructor', '//']) {
      const missing = await get(path)
      assert.equal(missing.status, 404, path)
      assert.match(JSON.stringify(await missing.json()), /\/healthz, \/readyz, \/metrics/)
    }
  })

  test('a port in use is told with the variable to set', async (context) => {
    const { port } = await openHealth(context)
    const second = healthServer({ host: '127.0.0.1', port, registry: openMetrics({ defaults: false }), checks: [] })
    const message = `port ${port} is taken by another process: set HEALTH_PORT to a free one`
    await assert.rejects(second, (error) => error instanceof ListenError && error.message === message)
  })
})
