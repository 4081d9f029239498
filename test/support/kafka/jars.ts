import { execFile } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../../..')
const pom = join(import.meta.dirname, 'pom.xml')
const cache = join(root, 'node_modules/.cache/image-intake-kafka')

/** Whether a broker process can run here: Java 17 or newer, and Maven to fetch the jars. */
export const canRunJars = async (): Promise<boolean> => {
  try {
    const [{ stdout, stderr }] = await Promise.all([run('java', ['-version']), run('mvn', ['-version'])])
    const major = /version "(\d+)/.exec(stdout + stderr)?.[1]
    return Number(major) >= 17
  } catch {
    return false
  }
}

/** The directory of a broker's jars; fetched at first, 43 MB in about 10 s. */
export const fetchJars = async (): Promise<string> => {
  const version = createHash('sha256')
    .update(await readFile(pom))
    .digest('hex')
    .slice(0, 12)
  const jars = join(cache, version)
  if (existsSync(jars)) return jars
  await mkdir(cache, { recursive: true })
  const fresh = await mkdtemp(join(cache, 'fetching-'))
  const goal = 'org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy-dependencies'
  await run('mvn', ['-B', '-q', '-f', pom, goal, '-DincludeScope=runtime', `-DoutputDirectory=${fresh}`])
  // Of several that fetch at once the first wins.
  await rename(fresh, jars).catch(() => rm(fresh, { recursive: true }))
  return jars
}

export const classPath = (jars: string) =>
  readdirSync(jars)
    .filter((file) => file.endsWith('.jar'))
    .map((file) => join(jars, file))
    .join(':')

/** Where the class-data archive of a directory of jars is, and whether it is there. */
export const archiveOf = (jars: string) => {
  const path = join(jars, 'kafka.jsa')
  return { path, exists: existsSync(path) }
}

/** Options of a JVM that starts quickly and stays small. */
export const jvmOptions = (archive: ReturnType<typeof archiveOf>) => [
  '-Xms128m',
  '-Xmx384m',
  '-XX:+UseSerialGC',
  '-XX:TieredStopAtLevel=1',
  '-XX:-UsePerfData',
  '-Xlog:disable',
  '-Xlog:all=error:stderr',
  '-Djava.net.preferIPv4Stack=true',
  ...(archive.exists ? [`-XX:SharedArchiveFile=${archive.path}`, '-Xshare:auto'] : []),
]
