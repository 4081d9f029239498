import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'

const run = promisify(execFile)

export type Certificates = {
  /** PEM of the authority that signed the broker's certificate. */
  ca: string
  /** A file with the broker's key and certificate, as Kafka's PEM keystore takes it. */
  keystore: string
}

/** A self-signed certificate for localhost and 127.0.0.1; undefined where there is no `openssl`. */
export const makeCertificates = async (directory: string): Promise<Certificates | undefined> => {
  const [key, ca, keystore] = ['key.pem', 'ca.pem', 'keystore.pem'].map((name) => join(directory, name))
  if (!key || !ca || !keystore) return undefined
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1']
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '30']
  try {
    await run('openssl', ['req', '-x509', ...kind, ...subject, '-keyout', key, '-out', ca])
  } catch {
    return undefined
  }
  const certificate = await readFile(ca, 'utf8')
  await writeFile(keystore, (await readFile(key, 'utf8')) + certificate)
  return { ca: certificate, keystore }
}
