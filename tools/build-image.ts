import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'

import { z } from 'zod'

import { docker } from './support/docker.ts'
import { runTool, UsageError } from './support/run-tool.ts'

const starts = 3

const usage = `npm run build:image [-- --tag NAME] [--sbom FILE]
Builds the image of the services, and prints its size, how long its API takes to answer once it is told to start (of
${starts} starts the shortest and the longest), and how many packages its list of ingredients (CycloneDX, by npm sbom) names.
--sbom writes that list to a file.
Default: --tag image-intake`

const options = { tag: { type: 'string', default: 'image-intake' }, sbom: { type: 'string' } } as const

const startLimitMs = 60_000
const bomSchema = z.object({ components: z.array(z.unknown()) })

/** No store answers: the API starts and waits for it, and says that it lives. */
const environment = {
  AWS_REGION: 'eu-central-1',
  AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
  AWS_ACCESS_KEY_ID: 'none',
  AWS_SECRET_ACCESS_KEY: 'none',
  S3_BUCKET: 'images',
  STATE_BUCKET: 'images-state',
  CDN_BASE_URL: 'http://127.0.0.1:9',
  JWT_SECRET: randomBytes(32).toString('hex'),
}

/** From the order to start a container to the first answer of the API in it, in ms. */
const measureStart = async (tag: string): Promise<number> => {
  const settings = Object.entries(environment).flatMap(([name, value]) => ['--env', `${name}=${value}`])
  const limits = ['--read-only', '--cap-drop', 'ALL', '--init', '--publish', '127.0.0.1::3000']
  const startedMs = performance.now()
  const id = (await docker(['run', '--detach', ...limits, ...settings, tag])).trim()
  try {
    const [address = ''] = (await docker(['port', id, '3000/tcp'])).trim().split('\n')
    while (!(await isAlive(`http://${address}/healthz`))) {
      if (performance.now() - startedMs > startLimitMs) throw new Error(`no answer:\n${await docker(['logs', id])}`)
    }
    return performance.now() - startedMs
  } finally {
    await docker(['rm', '--force', id])
  }
}

const isAlive = (url: string) =>
  fetch(url, { signal: AbortSignal.timeout(1_000) }).then(
    ({ ok }) => ok,
    () => false,
  )

await runTool({ usage, options }, async ({ values, positionals }) => {
  if (positionals.length > 0) throw new UsageError(`${positionals.join(' ')} is not understood`)
  const tag = String(values['tag'])
  await docker(['build', '--quiet', '--tag', tag, '.'])
  const bytes = Number(await docker(['image', 'inspect', '--format', '{{.Size}}', tag]))
  const times: number[] = []
  for (let start = 0; start < starts; start++) times.push(await measureStart(tag))
  const bom = await docker(['run', '--rm', '--network', 'none', tag, 'cat', 'sbom.cdx.json'])
  if (typeof values['sbom'] === 'string') await writeFile(resolve(process.env['INIT_CWD'] ?? '.', values['sbom']), bom)
  const { components } = bomSchema.parse(JSON.parse(bom))
  console.log(`image       ${tag}`)
  console.log(`size        ${(bytes / 1e6).toFixed(0)} MB`)
  console.log(
    `start       ${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)} ms until the API answers`,
  )
  console.log(`packages    ${components.length} (docker run --rm ${tag} cat sbom.cdx.json)`)
})
