import { AwsError, notImplemented } from '../errors.ts'
import { element, malformed, textOf, type Xml, type XmlElement } from './xml.ts'

/** Undefined: it was never switched on. It can be suspended then, but not taken back. */
export type Versioning = 'Enabled' | 'Suspended' | undefined

/** Reads a VersioningConfiguration. @throws AwsError as S3 refuses it */
export const parseVersioning = (root: XmlElement): Exclude<Versioning, undefined> => {
  const [status, mfaDelete] = [textOf(root, 'Status'), textOf(root, 'MfaDelete')]
  if (mfaDelete !== undefined && mfaDelete !== 'Disabled') throw notImplemented('MFA delete')
  if (status === undefined)
    throw new AwsError('IllegalVersioningConfigurationException', 400, 'The Versioning element must be specified')
  if (status !== 'Enabled' && status !== 'Suspended') throw malformed()
  return status
}

export const renderVersioning = (versioning: Versioning): Xml[] =>
  versioning === undefined ? [] : [element('Status', versioning)]
