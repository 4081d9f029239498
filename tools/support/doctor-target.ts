import type { EventLog } from '#shared/ports/event-log.ts'

import { findComposeSystem } from './compose-system.ts'
import { openChosenEventLog } from './event-log.ts'
import { findLocalSystem } from './local-system.ts'
import { UsageError } from './run-tool.ts'
import { signToken } from './sign-token.ts'

/** `openLog` is absent where no event log is named. */
export type DoctorTarget = { apiUrl: string; token: string; openLog?: () => EventLog }

/**
 * The API that is named by its address, or that of `docker compose`, or else of the local system that runs.
 * @throws UsageError
 */
export const findDoctorTarget = async (values: Record<string, string | boolean | undefined>): Promise<DoctorTarget> => {
  const { api, token, compose } = values
  if ((api === undefined) !== (token === undefined)) throw new UsageError('--api and --token go together')
  if (typeof api === 'string' && typeof token === 'string') {
    if (compose === true) throw new UsageError('--api and --compose name two systems')
    const isLogNamed = process.env['EVENT_LOG'] || process.env['KAFKA_BROKERS']
    const log = isLogNamed ? { openLog: openChosenEventLog } : {}
    return { apiUrl: readApi(api), token: readToken(token.trim()), ...log }
  }
  if (compose === true) {
    const { apiUrl, jwtSecret, openLog } = findComposeSystem()
    return { apiUrl, token: await signToken('doctor', jwtSecret), openLog }
  }
  return { apiUrl: findLocalSystem().api_url, token: await signToken('doctor'), openLog: openChosenEventLog }
}

const readApi = (api: string) => {
  if (/^https?:\/\//i.test(api) && URL.canParse(api)) return api
  throw new UsageError(`--api ${JSON.stringify(api)} is no address that begins with http:// or https://`)
}

/** A wrong one is not repeated: it may be nearly right. */
const readToken = (token: string) => {
  if (token === '') throw new UsageError('--token is empty')
  if (!/^[\x21-\x7e]+$/.test(token)) throw new UsageError('--token holds a character that no token has')
  return token
}
