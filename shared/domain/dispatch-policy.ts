import { purposes, type Purpose } from './purposes.ts'

/** Which images of a purpose are worth a vision job; the limits are inclusive. */
export type DispatchPolicy = {
  minBytes: number
  maxBytes: number
  /** Width times height. */
  minPixels: number
  maxPixels: number
}

const everything = ({ minBytes, maxBytes, maxPixels }: (typeof purposes)[Purpose]): DispatchPolicy => ({
  minBytes,
  maxBytes,
  minPixels: 1,
  maxPixels,
})

/**
 * The purposes that DISPATCH_PURPOSES may name: those whose keys carry a date, by which the ledger forgets. By itself a
 * policy takes all that the purpose accepts; whoever waits for the job of an image that it leaves out waits in vain.
 */
export const dispatchPolicies = {
  scan: everything(purposes.scan),
  chat: everything(purposes.chat),
} as const satisfies Partial<Record<Purpose, DispatchPolicy>>

export type DispatchPurpose = keyof typeof dispatchPolicies

// Object.keys forgets the type of a closed literal's keys.
export const dispatchPurposeNames = Object.keys(dispatchPolicies) as [DispatchPurpose, ...DispatchPurpose[]]

/** Why an image gets no job: `size` of the file, or its `pixels`; undefined when the policy takes it. */
export const findMisfit = (
  policy: DispatchPolicy,
  { size, width, height }: { size: number; width: number; height: number },
): 'size' | 'pixels' | undefined => {
  if (size < policy.minBytes || size > policy.maxBytes) return 'size'
  const pixels = width * height
  return pixels < policy.minPixels || pixels > policy.maxPixels ? 'pixels' : undefined
}
