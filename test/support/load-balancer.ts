import { setTimeout as sleep } from 'node:timers/promises'

/** An instance behind a load balancer: where it answers clients, and where it is asked whether it is ready. */
export type Instance = { url: string; health: string }

const probeEveryMs = 50
const probeLimitMs = 1_000
/** So many probes in a row must fail before an instance is left out. */
const mostFailures = 2

/**
 * Leads calls in turn to the instances that are ready; while none is, to all, as Amazon's does. It tries nothing twice.
 * Source: Elastic Load Balancing, "Health checks for Application Load Balancer target groups".
 */
export const openLoadBalancer = () => {
  let known: readonly Instance[] = []
  /** Probes in a row that failed; a new instance must be ready once before it gets a call. */
  const failures = new Map<string, number>()
  let turn = 0
  let isOpen = true

  const probe = async ({ url, health }: Instance) => {
    const isReady = await fetch(`${health}/readyz`, { signal: AbortSignal.timeout(probeLimitMs) }).then(
      async (answer) => {
        await answer.arrayBuffer()
        return answer.status === 200
      },
      () => false,
    )
    failures.set(url, isReady ? 0 : (failures.get(url) ?? mostFailures) + 1)
  }
  const watch = async (instance: Instance) => {
    while (isOpen && known.includes(instance)) {
      await probe(instance)
      await sleep(probeEveryMs)
    }
    failures.delete(instance.url)
  }
  return {
    /** From now on these are its instances. */
    know: (instances: readonly Instance[]) => {
      const kept = known.filter(({ url }) => instances.some((one) => one.url === url))
      const added = instances.filter(({ url }) => !kept.some((one) => one.url === url))
      known = [...kept, ...added]
      for (const instance of added) void watch(instance)
    },
    next: (): string => {
      const ready = known.filter(({ url }) => (failures.get(url) ?? mostFailures) < mostFailures)
      const able = ready.length > 0 ? ready : known
      const chosen = able[turn++ % able.length]
      if (!chosen) throw new Error('there are no instances')
      return chosen.url
    },
    close: () => {
      isOpen = false
    },
  }
}
