import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

import { docker } from '../../tools/support/docker.ts'

/**
 * What containers, volumes and images of this process begin with. COMPOSE_TESTS_RUN names a run, so that whoever killed it
 * finds what it left.
 */
export const testName = ['image-intake-test', process.env['COMPOSE_TESTS_RUN'] ?? [], process.pid].flat().join('-')

const answers = async (...args: string[]) => {
  try {
    await docker(args)
    return true
  } catch {
    return false
  }
}

/**
 * Whether containers can be run here. Where they can't one line says so, and COMPOSE_TESTS=required makes it an error.
 */
export const hasEngine = async (): Promise<boolean> => {
  if ((await answers('version')) && (await answers('compose', 'version'))) return true
  const advice = 'a Docker engine and docker compose 2 are needed'
  if (process.env['COMPOSE_TESTS'] === 'required') throw new Error(`COMPOSE_TESTS=required: ${advice}`)
  tellOnce(`The compose tests are skipped: ${advice}.`)
  return false
}

/** The test runner starts a process for each file: the first one of a run speaks for all. */
const tellOnce = (line: string) => {
  try {
    writeFileSync(join(tmpdir(), `compose-tests-skipped-${process.ppid}`), '', { flag: 'wx' })
    process.stdout.write(`${line}\n`)
  } catch {
    // It has been told.
  }
}
