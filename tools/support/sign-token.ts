import { SignJWT } from 'jose'

import { localJwtSecret } from '#shared/domain/local-mode.ts'

/** A token that the API takes in local mode and nowhere else. */
export const signToken = (subject: string) =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(localJwtSecret))
