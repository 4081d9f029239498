import type { ConsumeOptions } from '#shared/ports/event-log.ts'
import { pause } from '#shared/runtime/backoff.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { alarm } from '../alarm.ts'
import type { recordRunner } from '../record-runner.ts'
import { openAssignment } from './assignment.ts'
import type { OpenClient } from './client.ts'
import { isRejoining } from './failures.ts'
import { openMember } from './member.ts'
import type { MemberStatus } from './status.ts'

const maxWaitMs = 500
const tickMs = 1_000
const leavingMs = 700

export type SessionOptions = Pick<ConsumeOptions, 'group' | 'topics'> & {
  openClient: OpenClient
  runner: ReturnType<typeof recordRunner>
  news: ReturnType<typeof alarm>
  /** Records of one partition in hand before its fetching pauses. */
  window: number
  /** False from `stop` on: what is in hand is finished, and nothing new taken. */
  isTaking: () => boolean
  /** True from the deadline on: what is in hand is left. */
  isAbandoned: () => boolean
  status: MemberStatus
  log: Log | undefined
}

/**
 * One member's stay in a group, until it takes nothing new and nothing is in hand, or it is abandoned.
 * @throws what ended it before
 */
export const runSession = async (options: SessionOptions): Promise<void> => {
  const { openClient, group, topics, runner, news, window, isTaking, isAbandoned, status, log } = options
  const assignment = openAssignment({ window, dispatch: (task) => void runner.run(task) })
  const member = openMember({
    openClient,
    group,
    topics,
    maxWaitMs,
    onJoin: assignment.adopt,
    onBatch: (payload) => {
      if (isTaking()) assignment.take(payload)
      else payload.pause()
    },
    onHeard: status.heard,
    onFailure: news.ring,
  })
  const commitAll = async () => {
    try {
      while (await assignment.commit());
    } catch (error) {
      // Joining again, or the outage that follows, tells what becomes of it.
      if (!isRejoining(error)) log?.warn({ err: error, group }, 'offsets could not be committed')
    }
    committing = undefined
  }
  let committing: Promise<void> | undefined
  const commit = () => (committing ??= commitAll())
  const leave = async () => {
    assignment.abandonAll()
    await committing
    await commit()
    assignment.giveUpAll()
    status.end()
    await member.close()
  }
  const isOver = () => isAbandoned() || (!isTaking() && runner.inHand() === 0)

  status.begin(assignment.list)
  try {
    while (!isOver()) {
      member.checkLife()
      await news.wait(tickMs)
      void commit()
      assignment.resume()
    }
  } finally {
    // A deadline leaves no time for a broker that does not answer.
    await (isAbandoned() ? Promise.race([leave(), pause(leavingMs)]) : leave())
  }
}
