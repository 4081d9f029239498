import { docker } from '../../tools/support/docker.ts'
import type { TestSystem } from '../support/client.ts'
import { eventually } from '../support/eventually.ts'
import { findFreePorts } from '../support/kafka/free-ports.ts'
import { testName } from './engine.ts'

export type ComposeSystem = {
  /** As tests look at it from the host, with the operator's keys. */
  system: TestSystem
  /** What tools on the host take: the INTAKE_ variables. */
  environment: Record<string, string>
  /** `docker compose` in its project; gives what it wrote to standard output. */
  compose: (...args: string[]) => Promise<string>
  /** Brings up whatever is not, and waits until all of it is healthy. */
  up: (...args: string[]) => Promise<void>
  down: () => Promise<void>
}

const jwtSecret = 'a-secret-of-the-compose-tests-that-is-long-enough'

/** The system of docker-compose.yml in a project and on ports of its own, from nothing. */
export const startComposeSystem = async (): Promise<ComposeSystem> => {
  const [api = 0, s3 = 0, cdn = 0, kafka = 0] = await findFreePorts(4)
  const environment = {
    COMPOSE_PROJECT_NAME: testName,
    INTAKE_API_PORT: String(api),
    INTAKE_S3_PORT: String(s3),
    INTAKE_CDN_PORT: String(cdn),
    INTAKE_KAFKA_PORT: String(kafka),
    INTAKE_JWT_SECRET: jwtSecret,
  }
  const compose = (...args: string[]) => docker(['compose', '--progress', 'quiet', ...args], environment)
  const up = async (...args: string[]) => {
    await compose('up', '--detach', '--wait', '--wait-timeout', '300', ...args)
  }
  const down = async () => {
    await compose('down', '--volumes', '--timeout', '1')
    await docker(['image', 'rm', '--force', testName, `${testName}-store`])
  }
  try {
    await up('--build')
    const system = describe({ api, s3, cdn, kafka }, await readKeys(compose, 'operator'))
    return { system, environment, compose, up, down }
  } catch (error) {
    const logs = await compose('logs', '--tail', '20').catch(String)
    await down()
    throw new Error(`the system did not come up:\n${logs}`, { cause: error })
  }
}

type Keys = { access_key_id: string; secret_access_key: string }

/** A user's keys, as the store's container made them. */
export const readKeys = async (compose: ComposeSystem['compose'], user: string): Promise<Keys> => {
  const text = await compose('exec', '-T', 'api', 'cat', '/credentials/credentials')
  const section = text.split('[').find((part) => part.startsWith(`${user}]`)) ?? ''
  const value = (name: string) => new RegExp(`^${name} = (.+)$`, 'm').exec(section)?.[1] ?? ''
  return { access_key_id: value('aws_access_key_id'), secret_access_key: value('aws_secret_access_key') }
}

const describe = (ports: { api: number; s3: number; cdn: number; kafka: number }, keys: Keys): TestSystem => {
  const awsUrl = `http://127.0.0.1:${ports.s3}`
  const queue = (name: string) => `${awsUrl}/000000000000/${name}`
  return {
    pid: process.pid,
    api_url: `http://127.0.0.1:${ports.api}`,
    aws_url: awsUrl,
    region: 'eu-central-1',
    ...keys,
    bucket: 'intake-images',
    state_bucket: 'intake-images-state',
    uploads_queue_url: queue('image-uploads'),
    quarantine_queue_url: queue('image-quarantine'),
    jobs_queue_url: queue('vision-analysis-jobs.fifo'),
    cdn_base_url: `http://127.0.0.1:${ports.cdn}`,
    event_log: `kafka:127.0.0.1:${ports.kafka}`,
    jwt_secret: jwtSecret,
  }
}

/** The value of a metric in every container of a service, summed over its labels. */
export const readMetric = async ({ compose }: ComposeSystem, service: string, index: number, name: string) => {
  const script = `fetch('http://127.0.0.1:9464/metrics').then((r) => r.text()).then((t) => process.stdout.write(t))`
  const text = await compose('exec', '-T', '--index', String(index), service, 'node', '-e', script)
  const values = text.split('\n').filter((line) => line.startsWith(name) && /^[{ ]/.test(line.slice(name.length)))
  return values.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}

/** Waits until a service's containers are as many and all of them ready. */
export const untilReady = (running: ComposeSystem, service: string, count: number) =>
  eventually(
    async () => {
      const states = await running.compose('ps', '--format', '{{.Health}}', service)
      return states.trim() === Array.from({ length: count }, () => 'healthy').join('\n')
    },
    `${count} healthy containers of ${service}`,
    120_000,
  )
