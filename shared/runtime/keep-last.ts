/** The same texts, but one that is asked for again right after it is not written again: moments come many times. */
export const keepLast = (write: (moment: number) => string): ((moment: number) => string) => {
  let last = Number.NaN
  let text = ''
  return (moment) => {
    if (moment !== last) text = write((last = moment))
    return text
  }
}
