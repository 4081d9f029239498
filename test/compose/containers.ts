import assert from 'node:assert/strict'

import { z } from 'zod'

import { docker } from '../../tools/support/docker.ts'
import type { ComposeSystem } from './system.ts'

const containerSchema = z.object({
  Config: z.object({ User: z.string(), Cmd: z.array(z.string()) }),
  HostConfig: z.object({
    ReadonlyRootfs: z.boolean(),
    CapDrop: z.array(z.string()).nullable(),
    Init: z.boolean().nullish(),
    SecurityOpt: z.array(z.string()).nullable(),
    RestartPolicy: z.object({ Name: z.string() }),
    PortBindings: z.record(z.string(), z.array(z.object({ HostIp: z.string() }))).nullable(),
  }),
})

/** How the engine runs the first container of a service, also one that has ended. */
export const inspectContainer = async ({ compose }: ComposeSystem, service: string) => {
  const ids = (await compose('ps', '--all', '--quiet', service)).trim().split('\n')
  const [found] = z.array(containerSchema).parse(JSON.parse(await docker(['inspect', ...ids])))
  assert.ok(found)
  return found
}

/** In a container the first process can't be killed from inside: only the service can. */
export const killApi = `
const { readdirSync, readFileSync } = require('node:fs')
for (const pid of readdirSync('/proc').filter((name) => Number(name) > 1 && name !== String(process.pid)))
  if (readFileSync('/proc/' + pid + '/cmdline', 'utf8').includes('services/api/main.ts')) process.kill(pid, 'SIGKILL')
`
