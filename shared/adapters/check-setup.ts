import { OutageError } from '#shared/ports/failures.ts'
import type { Gate } from '#shared/runtime/gate.ts'

/**
 * Asks every dependency once before the work begins. One that is away shuts the gate, whose owner waits for it.
 * @throws SetupError of a dependency that no waiting brings: a wrong name, wrong credentials.
 */
export const checkSetup = async (
  probes: Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>,
  gate: Pick<Gate, 'shut'>,
) => {
  await Promise.all(
    Object.entries(probes).map(async ([name, probe]) => {
      try {
        await probe(AbortSignal.timeout(2_000))
      } catch (error) {
        if (!(error instanceof OutageError)) throw error
        gate.shut(name, error)
      }
    }),
  )
}
