import { OutageError } from '#shared/ports/failures.ts'
import type { Gate } from '#shared/runtime/gate.ts'

type Checks = Readonly<Record<string, (signal: AbortSignal) => Promise<void>>>

/**
 * Asks every dependency once before the work begins; one that is away shuts the gate.
 * @returns whether all were there
 * @throws SetupError of a dependency that no waiting brings: a wrong name, wrong credentials
 */
export const checkOnce = async (checks: Checks, gate: Pick<Gate, 'shut'>): Promise<boolean> => {
  const found = Object.entries(checks).map(async ([name, check]) => {
    try {
      await check(AbortSignal.timeout(2_000))
      return true
    } catch (error) {
      if (!(error instanceof OutageError)) throw error
      gate.shut(name, error)
      return false
    }
  })
  return (await Promise.all(found)).every(Boolean)
}

/**
 * As `checkOnce`, for work that waits for what is away.
 * @returns a function that asks again whenever an outage has ended, until all was there: then true, or false when `stop`
 *   comes first. It throws SetupError of what could not be seen during the outage.
 */
export const checkSetup = async (checks: Checks, gate: Gate) => {
  let isComplete = await checkOnce(checks, gate)
  return async (stop: AbortSignal): Promise<boolean> => {
    while (!isComplete) {
      if (!(await gate.opened(stop))) return false
      isComplete = await checkOnce(checks, gate)
    }
    return !stop.aborted
  }
}
