import { given } from './given.ts'
import { dayMs, purposeNames, purposeRules, type Purpose } from './purposes.ts'
import { decodeSubject, encodeSubject, type SubjectProblem } from './subject.ts'

/** `scans/{yyyymmdd}/{user}/{id}`, `profiles/{user}/{id}` or `chat/{yyyymmdd}/{user}/{id}`. Only this module makes one. */
export type ObjectKey = string & { readonly __brand: 'ObjectKey' }

/** All that a key says by itself. */
export type KeyFacts = {
  key: ObjectKey
  purpose: Purpose
  /** The token's subject. */
  userId: string
  /** 32 hex digits. */
  id: string
  /** yyyymmdd, UTC; undefined where the purpose's keys carry no date. */
  date?: string
}

export type KeyParts = { purpose: Purpose; userId: string; id: string; now: Date }

/** The key of a new image. `id` is 128 random bits as 32 lower-case hex digits. */
export const makeKey = (parts: KeyParts): { ok: true; facts: KeyFacts } | { ok: false; code: SubjectProblem } => {
  const { purpose, userId, id, now } = parts
  const subject = encodeSubject(userId)
  if (!subject.ok) return subject
  const { prefix, dated } = purposeRules(purpose)
  const date = utcDate(now)
  // The grammar's own product is the one place where a string becomes a key unparsed.
  const key = `${prefix}${dated ? `${date}/` : ''}${subject.segment}/${id}` as ObjectKey
  return { ok: true, facts: { key, purpose, userId, id, ...(dated ? { date } : {}) } }
}

/** What a string says if it is one of our keys, or a sentence that says why it is none. */
export const parseKey = (text: string): { ok: true; facts: KeyFacts } | { ok: false; problem: string } => {
  const purpose = purposeNames.find((name) => text.startsWith(purposeRules(name).prefix))
  if (!purpose) return { ok: false, problem: `it begins with none of ${prefixes}` }
  const { prefix, dated } = purposeRules(purpose)
  const segments = text.slice(prefix.length).split('/')
  if (segments.length !== (dated ? 3 : 2)) {
    return { ok: false, problem: `it is not of the form ${keyForm(purpose)}` }
  }
  const [date, segment = '', id = ''] = dated ? segments : [undefined, ...segments]
  if (date !== undefined && !isDate(date)) return { ok: false, problem: 'its date is not a day written yyyymmdd' }
  const userId = decodeSubject(segment)
  if (userId === undefined) return { ok: false, problem: 'its user segment is not one that this service writes' }
  if (!/^[0-9a-f]{32}$/.test(id)) return { ok: false, problem: 'its id is not 32 lower-case hex digits' }
  // Every part was just checked against the grammar.
  const key = text as ObjectKey
  return { ok: true, facts: { key, purpose, userId, id, ...given({ date }) } }
}

/** The form of a purpose's keys, for people. */
export const keyForm = (purpose: Purpose) => {
  const { prefix, dated } = purposeRules(purpose)
  return `${prefix}${dated ? '{yyyymmdd}/' : ''}{user}/{id}`
}

let lastDay = Number.NaN
let lastDate = ''

/** The day of a moment in UTC, as yyyymmdd; written once a day. */
export const utcDate = (moment: Date) => {
  const day = Math.floor(moment.getTime() / dayMs)
  if (day === lastDay) return lastDate
  lastDate = moment.toISOString().slice(0, 10).replaceAll('-', '')
  lastDay = day
  return lastDate
}

const prefixes = purposeNames.map((name) => purposeRules(name).prefix).join(', ')

const isDate = (text: string) => {
  const match = /^(\d{4})(\d\d)(\d\d)$/.exec(text)
  if (!match) return false
  const [, year, month, day] = match
  const moment = new Date(`${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`)
  return !Number.isNaN(moment.getTime()) && utcDate(moment) === text
}
