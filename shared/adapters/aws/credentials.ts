import { CredentialsError } from '#shared/ports/failures.ts'

/** As the SDK's provider chain gives them; `expiration` only where they are temporary. */
export type AwsCredentials = {
  accessKeyId: string
  secretAccessKey: string
  sessionToken?: string
  expiration?: Date
}

/** Gives usable credentials: at once while some are held. @throws CredentialsError when there are none */
export type CredentialsKeeper = (now: Date) => AwsCredentials | Promise<AwsCredentials>

/** The SDK itself takes credentials for stale in their last five minutes. */
const renewAheadMs = 300_000
/** So much life is left at least when they are given out. */
const leastLifeMs = 60_000
const retryMs = 5_000

/**
 * Keeps credentials at hand. In their last minutes new ones are fetched behind the callers' back, again every 5 s while
 * that fails; only in the last minute callers wait for them.
 */
export const keepCredentials = (
  provide: (options?: { forceRefresh?: boolean }) => Promise<AwsCredentials>,
): CredentialsKeeper => {
  let held: AwsCredentials | undefined
  let renewal: Promise<AwsCredentials> | undefined
  let triedAtMs = -Infinity

  const renew = async () => {
    try {
      held = await provide({ forceRefresh: held !== undefined })
      return held
    } catch (error) {
      throw new CredentialsError('S3', 'there are no credentials to sign with', { cause: error })
    } finally {
      renewal = undefined
    }
  }

  const renewBehind = (nowMs: number) => {
    if (nowMs - triedAtMs < retryMs) return
    triedAtMs = nowMs
    renewal ??= renew()
    renewal.catch(() => undefined)
  }

  return (now) => {
    const leftMs = lifeLeftMs(held, now)
    if (held && leftMs > renewAheadMs) return held
    if (!held || leftMs < leastLifeMs) return (renewal ??= renew()).then((fresh) => checkLife(fresh, now))
    renewBehind(now.getTime())
    return held
  }
}

/** Of credentials that never end: Infinity. */
export const lifeLeftMs = (credentials: AwsCredentials | undefined, now: Date): number =>
  credentials?.expiration ? credentials.expiration.getTime() - now.getTime() : Infinity

const checkLife = (credentials: AwsCredentials, now: Date) => {
  if (lifeLeftMs(credentials, now) >= 1_000) return credentials
  throw new CredentialsError('S3', 'the credentials that were found have expired')
}
