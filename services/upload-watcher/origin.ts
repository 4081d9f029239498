import type { NotificationRecord } from './notification.ts'

/** Where notifications must come from, besides the bucket. What is absent is not checked. */
export type Origin = {
  /** Only of AWS itself: other stores write anything there. */
  region?: string
  /** 12 digits. */
  account?: string
}

/** Why a record is not about our bucket, or undefined when it may be: what it does not tell speaks for neither. */
export const findForeign = (
  ours: Origin & { bucket: string },
  { bucket, region, account }: NotificationRecord,
): string | undefined => {
  if (bucket !== ours.bucket) return `the bucket ${bucket} is not ours`
  if (differs(region, ours.region)) return `the region ${region} is not ours, ${ours.region}`
  if (differs(account, ours.account)) return `the bucket's account ${account} is not ours, ${ours.account}`
  return undefined
}

const differs = (told: string | undefined, ours: string | undefined) =>
  told !== undefined && ours !== undefined && told !== ours
