import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

import { planImportMap, readModule } from './modules.ts'

const entries = ['examples/browser.ts', 'examples/browser-progress.ts', 'examples/uppy.ts']

const page = () => `<!doctype html>
<script type="importmap">${JSON.stringify(planImportMap(entries))}</script>
<input type="file" multiple>
`

const send = (response: ServerResponse, type: string, body: string) =>
  response.setHeader('content-type', type).end(body)

const answer = (path: string, html: string, response: ServerResponse) => {
  const file = path === '/page.ts' ? 'test/browser/page.ts' : path.slice(1)
  if (path === '/') send(response, 'text/html', html)
  else if (!/^\/(?:page\.ts|examples\/|node_modules\/)/.test(path) || !existsSync(file)) response.writeHead(404).end()
  else if (path.endsWith('.json')) send(response, 'application/json', readFileSync(file, 'utf8'))
  else send(response, 'text/javascript', readModule(file))
}

/** Serves a page that can import the examples as they are in the repository, and chooses files. */
export const servePage = async () => {
  const html = page()
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? '', 'http://page')
    try {
      answer(pathname, html, response)
    } catch (error) {
      response.writeHead(500).end(String(error))
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo // it listens on a port
  const close = () => {
    server.closeAllConnections()
    server.close()
  }
  return { origin: `http://127.0.0.1:${port}`, close }
}
