/** Header of a record and attribute of a message: how often it was put back after it had been given up. */
export const redriveCountName = 'redrive-count'

/** What was put back so often and came back each time is not put back by itself any more. */
export const maxRedrives = 3

/** The count that headers or attributes carry; 0 when they carry none that can be read. */
export const readRedriveCount = (carried: Readonly<Record<string, string>>): number => {
  const text = carried[redriveCountName] ?? ''
  return /^\d{1,6}$/.test(text) ? Number(text) : 0
}

/** Headers or attributes of what is put back: one more than before. */
export const countRedrive = (carried: Readonly<Record<string, string>>): Record<string, string> => ({
  ...carried,
  [redriveCountName]: String(readRedriveCount(carried) + 1),
})
