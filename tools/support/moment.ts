import { z } from 'zod'

const momentSchema = z.union([z.iso.date(), z.iso.datetime({ offset: true })])

/** A date (its midnight UTC), or a date and time; undefined for anything else. */
export const parseMoment = (text: unknown): Date | undefined => {
  const moment = momentSchema.safeParse(text).data
  return moment === undefined ? undefined : new Date(moment)
}

/** Continues what was given instead of a moment, for people. */
export const noMoment = 'is no date such as 2030-01-01 or 2030-01-01T12:00:00Z'
