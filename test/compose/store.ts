import { chmodSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

import { awsVariables, openS3, openSqs } from '#shared/adapters/aws/clients.ts'
import type { AwsCredentials } from '#shared/adapters/aws/credentials.ts'
import { readConfig } from '#shared/runtime/config.ts'

import { docker } from '../../tools/support/docker.ts'
import { closedAddress } from '../shared/adapters/aws/local.ts'
import { eventually } from '../support/eventually.ts'
import { findFreePorts } from '../support/kafka/free-ports.ts'
import { temporaryDirectory } from '../support/local-system.ts'
import { testName } from './engine.ts'

export const region = 'eu-central-1'

/** The store of docker-compose.yml alone, checking signatures and policies, with a clock that tests can move. */
export const startStore = async () => {
  await docker(['compose', '--progress', 'quiet', 'build', 'store-users'], { COMPOSE_PROJECT_NAME: testName })
  const image = `${testName}-store`
  const [port = 0] = await findFreePorts(1)
  const clock = temporaryDirectory()
  // The store is another user.
  chmodSync(clock.path, 0o755)
  copyFileSync('test/compose/clock/sitecustomize.py', join(clock.path, 'sitecustomize.py'))
  let aheadSeconds = 0
  const pass = (seconds: number) => writeFileSync(join(clock.path, 'offset'), String((aheadSeconds += seconds)))
  const variables = ['AUTH=true', 'BIND_HOST=0.0.0.0', `MINISTACK_REGION=${region}`, 'IOT_MTLS_ENABLED=0']
  const environment = [...variables, 'SFTP_ENABLED=0', 'PYTHONPATH=/clock', 'LOG_LEVEL=WARNING']
  const settings = environment.flatMap((variable) => ['--env', variable])
  const place = ['--name', image, '--publish', `127.0.0.1:${port}:4566`, '--volume', `${clock.path}:/clock:ro`]
  const id = (await docker(['run', '--detach', '--rm', '--init', ...place, ...settings, image])).trim()
  const url = `http://127.0.0.1:${port}`
  const stop = async () => {
    await docker(['rm', '--force', '--volumes', id])
    await docker(['image', 'rm', '--force', image])
    clock.remove()
  }
  try {
    await eventually(() => isReady(url), 'the store', 60_000)
    const keys = await makeUser(url)
    const clients = openClients(url, keys)
    const away = openClients(await closedAddress(), keys)
    const reset = () => pass(-aheadSeconds)
    return { url, ...clients, away, pass, reset, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

export type Store = Awaited<ReturnType<typeof startStore>>

const isReady = (url: string) =>
  fetch(`${url}/_ministack/ready`).then(
    ({ ok }) => ok,
    () => false,
  )

type Keys = { accessKeyId: string; secretAccessKey: string }

/** A user that may do everything in S3 and SQS; unlike root's, its signatures are checked. */
const makeUser = async (url: string): Promise<Keys> => {
  const allowed = { Effect: 'Allow', Action: ['s3:*', 'sqs:*'], Resource: '*' }
  const PolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: [allowed] })
  await askIam(url, { Action: 'CreateUser', UserName: 'tester' })
  await askIam(url, { Action: 'PutUserPolicy', UserName: 'tester', PolicyName: 'all', PolicyDocument })
  const answer = await askIam(url, { Action: 'CreateAccessKey', UserName: 'tester' })
  const value = (name: string) => new RegExp(`<${name}>(.+)</${name}>`).exec(answer)?.[1] ?? ''
  return { accessKeyId: value('AccessKeyId'), secretAccessKey: value('SecretAccessKey') }
}

/** As root, whose name alone is believed. */
const askIam = async (url: string, parameters: Record<string, string>) => {
  const Authorization = `AWS4-HMAC-SHA256 Credential=test/20260101/${region}/iam/aws4_request, SignedHeaders=host, Signature=0`
  const body = new URLSearchParams({ ...parameters, Version: '2010-05-08' })
  const answer = await fetch(url, { method: 'POST', headers: { Authorization }, body })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${parameters['Action']}: ${answer.status} ${text}`)
  return text
}

const openClients = (endpoint: string, { accessKeyId, secretAccessKey }: Keys) => {
  const config = readConfig(awsVariables, {
    AWS_REGION: region,
    AWS_ENDPOINT_URL_S3: endpoint,
    AWS_ENDPOINT_URL_SQS: endpoint,
    S3_FORCE_PATH_STYLE: 'true',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  })
  const openS3With = (instead?: AwsCredentials) => openS3(config, endpoint, instead)
  return { s3: openS3(config), sqs: openSqs(config), openS3: openS3With }
}
