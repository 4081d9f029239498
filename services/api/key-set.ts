import type { FetchImplementation } from 'jose'
import { z } from 'zod'

/** The issuer gave no set of keys: nobody's token is at fault. */
export class IssuerError extends Error {
  override readonly name = 'IssuerError'
}

/** What is no key at all is left out, so that the others of its set stay usable. */
const keySetSchema = z.object({
  keys: z.array(z.unknown()).transform((keys) => keys.filter((key) => keySchema.safeParse(key).success)),
})
const keySchema = z.looseObject({ kty: z.string() })

const restAfterFailureMs = 5_000

/**
 * Fetches a published set of keys. With keys in hand a fetch that failed is not repeated at once, however many unknown key
 * ids ask for it. @throws IssuerError
 */
export const keySetFetcher = (hasKeys: () => boolean): FetchImplementation => {
  let failure: { error: IssuerError; atMs: number } | undefined
  return async (url, init) => {
    if (failure && hasKeys() && Date.now() - failure.atMs < restAfterFailureMs) throw failure.error
    try {
      const keySet = await readKeySet(await fetch(url, init))
      failure = undefined
      return Response.json(keySet)
    } catch (cause) {
      failure = { error: new IssuerError(`no keys from ${url}`, { cause }), atMs: Date.now() }
      throw failure.error
    }
  }
}

const readKeySet = async (response: Response) => {
  if (response.status !== 200) throw new Error(`HTTP ${response.status}`)
  const parsed = keySetSchema.safeParse(await response.json())
  if (parsed.success) return parsed.data
  throw new Error('this is not a JSON Web Key Set')
}
