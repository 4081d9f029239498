import type { HeldPartition } from './assignment.ts'

/** What one member of a group tells of itself. */
export const memberStatus = (group: string) => {
  let list: (() => HeldPartition[]) | undefined
  let heartbeatAt: Date | undefined
  let isMember = false
  return {
    group,
    begin: (partitions: () => HeldPartition[]): void => {
      list = partitions
    },
    end: (): void => {
      list = undefined
      isMember = false
    },
    /** Called when the group answered. */
    heard: (): void => {
      heartbeatAt = new Date()
      isMember = true
    },
    partitions: (): HeldPartition[] => list?.() ?? [],
    /** Whether the group has given it an assignment; that may be empty where there are more members than partitions. */
    isMember: (): boolean => isMember,
    heartbeatAt: (): Date | undefined => heartbeatAt,
  }
}

export type MemberStatus = ReturnType<typeof memberStatus>
