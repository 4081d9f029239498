const monthMs = 31 * 86_400_000

/**
 * How many paths may be sent when: in no 31 days more than `perMonth`, besides the first, which may go at once. What was
 * saved up is spent at once, up to a twentieth. All times are milliseconds of one clock.
 */
export const pathBudget = (perMonth: number, startedAt: number) => {
  const most = Math.max(1, Math.floor(perMonth / 20))
  const perMs = Math.max(perMonth - most, 1) / monthMs
  let [saved, savedAt] = [1, startedAt]

  const savedBy = (now: number) => Math.min(most, saved + Math.max(0, now - savedAt) * perMs)

  return {
    available: (now: number): number => Math.floor(savedBy(now)),
    /** Until one is available. */
    waitMs: (now: number): number => Math.ceil(Math.max(0, 1 - savedBy(now)) / perMs),
    /** Also more than are available: the debt is paid back before the next. */
    spend: (paths: number, now: number): void => {
      saved = savedBy(now) - paths
      savedAt = now
    },
  }
}

export type PathBudget = ReturnType<typeof pathBudget>
