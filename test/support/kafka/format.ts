import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { cp, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

import { archiveOf, classPath, jvmOptions } from './jars.ts'
import { scramUser, serverProperties } from './server-properties.ts'
import type { BrokerPorts } from './server-properties.ts'

const run = promisify(execFile)

/** Kafka's ids are UUIDs in base64url, and may not begin with a dash. */
const makeId = () => randomBytes(16).toString('base64url').replace(/^-/, 'A')

/** Makes the storage of a new broker: a copy of a template that the first call formats, which saves a JVM's start. */
export const formatStorage = async (jars: string, data: string): Promise<void> => {
  const template = join(jars, 'formatted')
  if (!existsSync(template)) await formatTemplate(jars, template)
  await cp(template, data, { recursive: true })
  const meta = ['version=1', `cluster.id=${makeId()}`, 'node.id=1', `directory.id=${makeId()}`]
  await writeFile(join(data, 'meta.properties'), `${meta.join('\n')}\n`)
}

const formatTemplate = async (jars: string, template: string): Promise<void> => {
  const scratch = await mkdtemp(join(jars, 'formatting-'))
  const [data, properties] = [join(scratch, 'data'), join(scratch, 'server.properties')]
  const ports: BrokerPorts = { plain: 1, proxied: 2, proxy: 3, sasl: 4, secure: 5, controller: 6 }
  await writeFile(properties, serverProperties({ data, ports, keystore: undefined }))
  const scram = `SCRAM-SHA-256=[name=${scramUser.username},password=${scramUser.password}]`
  const tool = ['-cp', classPath(jars), 'kafka.tools.StorageTool', 'format', '-t', makeId(), '-S', scram]
  await run('java', [...jvmOptions(archiveOf(jars)), ...tool, '-c', properties])
  // Of several that format at once the first wins.
  await rename(data, template).catch(() => undefined)
  await rm(scratch, { recursive: true })
}
