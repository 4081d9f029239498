import { createRequire } from 'node:module'

/** What we rely on of kafkajs 2.2.4's queue of requests, one per connection. */
type RequestQueue = { pending: unknown[]; scheduleCheckPendingRequests: () => void }

const guarded = new WeakSet()

/**
 * Keeps kafkajs from polling idle connections every millisecond. Its queue plans a look at waiting requests after a
 * negative time even when none waits, which Node takes for 1 ms, and warns of since version 24. A request that has to
 * wait plans a look itself, so without one nothing is to be planned. See docs/decisions/kafkajs-idle-timer.md.
 * Does nothing to a kafkajs that is built otherwise.
 */
export const guardIdleTimer = (): void => {
  const prototype = findPrototype()
  if (!prototype || guarded.has(prototype)) return
  guarded.add(prototype)
  const schedule = prototype.scheduleCheckPendingRequests
  prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this)
  }
}

const findPrototype = (): RequestQueue | undefined => {
  try {
    const load = createRequire(import.meta.url)
    const found: unknown = load('kafkajs/src/network/requestQueue')
    const prototype: unknown = typeof found === 'function' ? found.prototype : undefined
    const isKnown = typeof prototype === 'object' && prototype !== null && 'scheduleCheckPendingRequests' in prototype
    // Its instances have `pending`, from the constructor.
    return isKnown ? (prototype as RequestQueue) : undefined
  } catch {
    return undefined
  }
}
