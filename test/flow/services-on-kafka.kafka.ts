import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'

import { beginUpload } from '../support/client.ts'
import { planFile, type PlannedFile } from '../support/file-mix.ts'
import { onKafka, openKafkaPlace } from '../support/kafka/place.ts'
import { insist } from '../support/kill-run.ts'
import { checkOutcome, waitForVerdicts } from '../support/mixed-run.ts'
import { chosenSeed, seededRandom } from '../support/random.ts'
import { openSurroundings, startService, type ServiceName } from '../support/services.ts'

const { broker, directory } = await openKafkaPlace()

const files = 200
const names: ServiceName[] = ['api', 'upload-watcher', 'scan-dispatcher']

test(
  'three services on Kafka, each killed and started again in mid-run, give each upload its verdict and each scan one job',
  { skip: broker ? false : 'no broker' },
  async (t) => {
    const seed = chosenSeed()
    t.diagnostic(`SEED=${seed}`)
    const random = seededRandom(seed)
    const surroundings = await openSurroundings(directory.path, onKafka(broker))
    const services = new Map(
      await Promise.all(names.map(async (name) => [name, await startService(name, surroundings.environment)] as const)),
    )
    const apiUrl = services.get('api')?.url ?? ''
    const restart = async (name: ServiceName) => {
      await services.get(name)?.end('SIGKILL')
      const PORT = name === 'api' ? new URL(apiUrl).port : '0'
      services.set(name, await startService(name, { ...surroundings.environment, PORT }))
    }
    const system = surroundings.describe(apiUrl)
    const uploaded = new Map<string, PlannedFile>()
    let planned = 0
    const client = async () => {
      while (planned < files) {
        const file = await planFile(random, planned++)
        const upload = await insist(() => beginUpload(system, file))
        await insist(() => upload.put(system))
        uploaded.set(upload.key, file)
      }
    }
    const killer = async () => {
      for (const name of names) {
        // A random moment of whatever the services are doing then: the one wait here that is not for a fact.
        await sleep(random() * 2_000)
        await restart(name)
      }
    }
    try {
      await Promise.all([killer(), ...Array.from({ length: 4 }, client)])
      await waitForVerdicts(system, uploaded, 120_000)
      await checkOutcome(system, uploaded, { repeatsAllowed: true })
    } finally {
      await Promise.all([...services.values()].map(({ end }) => end('SIGTERM')))
      await surroundings.close()
    }
  },
)
