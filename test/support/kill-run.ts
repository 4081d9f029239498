import { setTimeout as sleep } from 'node:timers/promises'

import { beginUpload } from './client.ts'
import { eventually } from './eventually.ts'
import { planFile, type PlannedFile } from './file-mix.ts'
import { portsOf, startSystem, type RunningSystem } from './local-system.ts'

/**
 * Uploads a mix of files from several clients while the system is killed and started again at random moments.
 * @returns the last running system and all that was uploaded
 */
export const uploadUnderKills = async (options: {
  dataPath: string
  files: number
  kills: number
  clients: number
  random: () => number
}): Promise<{ running: RunningSystem; uploaded: Map<string, PlannedFile> }> => {
  const { dataPath, random } = options
  let running = await startSystem(dataPath)
  const ports = portsOf(running.system)
  const uploaded = new Map<string, PlannedFile>()
  let planned = 0

  const client = async () => {
    while (planned < options.files) {
      const file = await planFile(random, planned++)
      uploaded.set(await uploadStubbornly(() => running.system, file), file)
    }
  }
  const killer = async () => {
    for (let kill = 0; kill < options.kills; kill++) {
      const share = options.files / (options.kills + 1)
      await eventually(() => uploaded.size >= share * kill, 'uploads before the next kill', 60_000)
      // A random moment of whatever the system is doing then: the one wait here that is not for a fact.
      await sleep(random() * 300)
      await running.end('SIGKILL')
      running = await startSystem(dataPath, ports)
    }
  }
  await Promise.all([killer(), ...Array.from({ length: options.clients }, client)])
  return { running, uploaded }
}

/** As a client behaves that doesn't give up: one ticket, and the PUT again until it is known to be stored. */
const uploadStubbornly = async (system: () => RunningSystem['system'], file: PlannedFile): Promise<string> => {
  const upload = await insist(() => beginUpload(system(), file))
  await insist(() => upload.put(system()))
  return upload.key
}

/** Tries again until it works: as a client does that does not give up. */
export const insist = async <T>(work: () => Promise<T>, withinMs = 30_000): Promise<T> => {
  for (const started = Date.now(); ;) {
    try {
      return await work()
    } catch (error) {
      if (Date.now() - started > withinMs) throw error
      await sleep(20)
    }
  }
}
