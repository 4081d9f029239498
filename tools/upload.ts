import { resolve } from 'node:path'

import { localJwtSecret } from '#shared/domain/local-mode.ts'
import { purposeNames } from '#shared/domain/purposes.ts'

import { findComposeSystem } from './support/compose-system.ts'
import { findLocalSystem, openLocalEventLog } from './support/local-system.ts'
import { progress } from './support/progress.ts'
import { runTool, UsageError } from './support/run-tool.ts'
import { signToken } from './support/sign-token.ts'
import { uploadImage } from './support/upload-image.ts'
import { watchEvents } from './support/watch-events.ts'

const usage = `npm run upload -- FILE... [--purpose ${purposeNames.join('|')}] [--user USER] [--compose]
Takes files through the running system as a client would, and tells each step: ticket, PUT, verdict and, for scans, the
vision job, with its result when a worker runs. The type is declared by the file's extension. Exits 0 only if all files
were accepted. The system is that of \`npm start\`, with --compose that of \`docker compose up\` (INTAKE_API_PORT,
INTAKE_KAFKA_PORT, INTAKE_JWT_SECRET).
Defaults: --purpose scan --user user-1`

const options = {
  purpose: { type: 'string', default: 'scan' },
  user: { type: 'string', default: 'user-1' },
  compose: { type: 'boolean' },
} as const

const clients = 8
const timeoutMs = 30_000

const localSystem = () => {
  const system = findLocalSystem()
  return { apiUrl: system.api_url, jwtSecret: localJwtSecret, openLog: () => openLocalEventLog(system) }
}

await runTool({ usage, options }, async ({ values, positionals: files }) => {
  if (files.length === 0) throw new UsageError('name at least one file')
  const purpose = String(values['purpose'])
  if (!purposeNames.some((name) => name === purpose)) {
    throw new UsageError(`--purpose ${purpose} is none of ${purposeNames.join(', ')}`)
  }
  const system = values['compose'] === true ? findComposeSystem() : localSystem()
  const token = await signToken(String(values['user']), system.jwtSecret)
  const target = { apiUrl: system.apiUrl, token, purpose }
  const watched = await watchEvents(system.openLog(), timeoutMs)
  const view = progress(files.length)

  // npm runs a script in the package's folder; the files are named from where the user stands.
  const waiting = files.map((file) => resolve(process.env['INIT_CWD'] ?? '.', file))
  let accepted = 0
  const client = async () => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const ok = await uploadImage(file, target, watched, view.step).catch((error: unknown) => view.failed(file, error))
      if (ok) accepted++
      view.finished()
    }
  }
  await Promise.all(Array.from({ length: clients }, client))
  const missing = view.showsSteps ? await watched.results.missing() : 0
  await watched.stop()
  if (missing > 0)
    view.note(
      `no result of ${missing === 1 ? 'the vision job' : `${missing} vision jobs`} yet: \`npm run worker\` begins a worker`,
    )
  view.close(accepted)
  if (accepted < files.length) process.exitCode = 1
})
