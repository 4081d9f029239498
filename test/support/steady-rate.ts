import { setTimeout as sleep } from 'node:timers/promises'

/** Beyond it nothing new is begun, and the rate is not reached. */
const maxUnderWay = 1_000

/**
 * Begins so many works a second, whether or not those before have ended, until `isOver(begun)`; resolves when all have.
 * @returns what failed, and the seconds that it took
 */
export const workAtRate = async (
  rate: number,
  work: (index: number) => Promise<void>,
  isOver: (begun: number) => boolean,
): Promise<{ failures: string[]; seconds: number }> => {
  const failures: string[] = []
  const underWay = new Set<Promise<void>>()
  const begin = (index: number) => {
    const working = work(index)
      .catch((error: unknown) => {
        failures.push(describe(error))
      })
      .finally(() => {
        underWay.delete(working)
      })
    underWay.add(working)
  }
  const startedAt = performance.now()
  for (let begun = 0; !isOver(begun);) {
    await sleep(2)
    const due = Math.floor(((performance.now() - startedAt) * rate) / 1000)
    while (begun < due && underWay.size < maxUnderWay && !isOver(begun)) begin(begun++)
  }
  await Promise.all(underWay)
  return { failures, seconds: (performance.now() - startedAt) / 1000 }
}

const describe = (error: unknown): string =>
  error instanceof Error && error.cause !== undefined ? `${error}: ${describe(error.cause)}` : String(error)
