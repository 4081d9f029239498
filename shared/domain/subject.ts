/**
 * A token's subject as a key's segment: letters, digits and hyphens stand for themselves, every other byte of its UTF-8
 * form is `_` and two lower-case hex digits. So no subject can hold a slash, a dot or a percent sign in a path or URL,
 * and no two subjects share a segment.
 */
export const maxSegmentBytes = 512

export type SubjectProblem = 'subject_empty' | 'subject_not_unicode' | 'subject_too_long'

/** The segment of a subject, or why it has none. A subject with lone surrogates has no UTF-8 form. */
export const encodeSubject = (subject: string): { ok: true; segment: string } | { ok: false; code: SubjectProblem } => {
  if (subject === '') return { ok: false, code: 'subject_empty' }
  if (!subject.isWellFormed()) return { ok: false, code: 'subject_not_unicode' }
  const segment = subject.replace(/[^A-Za-z0-9-]+/g, escapeBytes)
  return segment.length > maxSegmentBytes ? { ok: false, code: 'subject_too_long' } : { ok: true, segment }
}

/** The subject of a segment, or undefined when `encodeSubject` gives no such segment. */
export const decodeSubject = (segment: string): string | undefined => {
  if (!/^(?:[A-Za-z0-9-]|_[0-9a-f]{2})+$/.test(segment)) return undefined
  const subject = unescapeBytes(segment)
  if (subject === undefined) return undefined
  const again = encodeSubject(subject)
  return again.ok && again.segment === segment ? subject : undefined
}

const escapeBytes = (text: string) => Buffer.from(text, 'utf8').toString('hex').replace(/../g, '_$&')

const unescapeBytes = (segment: string) => {
  try {
    return decodeURIComponent(segment.replaceAll('_', '%'))
  } catch {
    return undefined // bytes that are no UTF-8
  }
}
