import { SignJWT } from 'jose'

import { localJwtSecret } from '#shared/domain/local-mode.ts'

/** A token that an API with this secret takes: without one, that of local mode and no other. */
export const signToken = (subject: string, secret = localJwtSecret) =>
  new SignJWT()
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject(subject)
    .setIssuedAt()
    .setExpirationTime('12h')
    .sign(new TextEncoder().encode(secret))
