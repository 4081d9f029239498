/**
 * The records in hand of one partition, in order. Work inside a partition ends in any order, but an offset may only be
 * committed when every earlier record is final.
 */
export const contiguousOffsets = () => {
  // A Map keeps the order of insertion; the value says whether the record is final.
  const inHand = new Map<string, boolean>()
  return {
    take: (offset: string): void => void inHand.set(offset, false),
    /** @returns the offset up to which, inclusive, everything is final now; undefined when that has not moved. */
    finish: (offset: string): string | undefined => {
      inHand.set(offset, true)
      let reached: string | undefined
      for (const [earliest, isFinal] of inHand) {
        if (!isFinal) break
        inHand.delete(earliest)
        reached = earliest
      }
      return reached
    },
    /** How many were taken and are not behind the contiguous offset yet. */
    size: (): number => inHand.size,
  }
}
