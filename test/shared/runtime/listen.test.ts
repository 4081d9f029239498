import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { suite, test } from 'node:test'

import { listen, ListenError } from '#shared/runtime/listen.ts'

suite('listen', () => {
  test('tells the port that the system chose', async (context) => {
    const server = createServer()
    context.after(() => server.close())
    const { port } = await listen(server, '127.0.0.1', 0, 'PORT')
    assert.ok(port > 0)
  })

  test('an address that is not of this machine is told with the variable', async () => {
    const listening = listen(createServer(), '192.0.2.1', 0, 'PORT')
    await assert.rejects(
      listening,
      (error) => error instanceof ListenError && /192\.0\.2\.1.*PORT.*EADDRNOTAVAIL/.test(error.message),
    )
  })
})
