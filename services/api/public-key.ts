import { createPublicKey, type KeyObject } from 'node:crypto'

import { z } from 'zod'

/** A public key and the algorithms (RFC 7518, RFC 8037) of tokens that it can verify. */
export type VerificationKey = { key: KeyObject; algorithms: readonly string[] }

const rsa = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']
const edwards = ['EdDSA', 'Ed25519']

/** By an elliptic curve's name, or else the kind of key. */
const algorithmsByKind: Readonly<Record<string, readonly string[]>> = {
  rsa,
  prime256v1: ['ES256'],
  secp384r1: ['ES384'],
  secp521r1: ['ES512'],
  ed25519: edwards,
}

/** Every algorithm whose keys can be published. */
export const asymmetricAlgorithms = Object.values(algorithmsByKind).flat()

/** A public key as PEM, in which `\n` may stand for a line end. */
export const publicKeySchema = z.string().transform((pem, context): VerificationKey => {
  const read = readPublicKey(pem.replaceAll('\\r', '').replaceAll('\\n', '\n'))
  if (typeof read !== 'string') return read
  context.addIssue({ code: 'custom', message: read })
  return z.NEVER
})

/** Source: RFC 7518, section 3.3. */
const leastRsaBits = 2048

/** The key, or what is wrong with the text. */
const readPublicKey = (pem: string): VerificationKey | string => {
  // Node would quietly derive the public half.
  if (pem.includes('PRIVATE KEY')) return 'is a private key: it belongs to the issuer of tokens alone'
  try {
    const key = createPublicKey(pem)
    const { modulusLength = leastRsaBits } = key.asymmetricKeyDetails ?? {}
    if (modulusLength < leastRsaBits)
      return `is an RSA key of ${modulusLength} bits: tokens need ${leastRsaBits} at least`
    const kind = key.asymmetricKeyDetails?.namedCurve ?? key.asymmetricKeyType ?? 'strange'
    const algorithms = algorithmsByKind[kind]
    return algorithms ? { key, algorithms } : `is a ${kind} key, not RSA, EC (P-256, P-384, P-521) or Ed25519`
  } catch {
    return 'is not a public key in PEM form'
  }
}
