import type { ConsumeOptions } from '#shared/ports/event-log.ts'
import { pause } from '#shared/runtime/backoff.ts'
import { aborted } from '#shared/runtime/lifetime.ts'
import type { Log } from '#shared/runtime/log.ts'

import type { alarm } from '../alarm.ts'
import type { recordRunner } from '../record-runner.ts'
import { openAssignment } from './assignment.ts'
import type { OpenClient } from './client.ts'
import { isRejoining, isUnanswered } from './failures.ts'
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
  /** Aborts at the deadline: what is in hand is left. */
  abandon: AbortSignal
  status: MemberStatus
  log: Log | undefined
}

/**
 * One member's stay in a group, until it takes nothing new and nothing is in hand, or it is abandoned.
 * @throws what ended it before
 */
export const runSession = async (options: SessionOptions): Promise<void> => {
  const { openClient, group, topics, runner, news, window, isTaking, abandon, status, log } = options
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
  /** False when the broker did not answer: asking again would wait as long again. */
  const commitAll = async (): Promise<boolean> => {
    try {
      while (await assignment.commit());
      return true
    } catch (error) {
      // Joining again, or the outage that follows, tells what becomes of it.
      if (!isRejoining(error)) log?.warn({ err: error, group }, 'offsets could not be committed')
      return !isUnanswered(error)
    } finally {
      committing = undefined
    }
  }
  let committing: Promise<boolean> | undefined
  const commit = () => (committing ??= commitAll())
  const leave = async () => {
    assignment.abandonAll()
    const isAnswered = (await committing) ?? true
    if (isAnswered) await commit()
    assignment.giveUpAll()
    status.end()
    await member.close()
  }
  const isOver = () => abandon.aborted || (!isTaking() && runner.inHand() === 0)

  status.begin(assignment.list)
  try {
    while (!isOver()) {
      member.checkLife()
      await news.wait(tickMs)
      void commit()
      assignment.resume()
    }
  } finally {
    await leaveInTime(leave, abandon)
  }
}

/** A deadline leaves no time for a broker that does not answer: what is not done then is left. */
const leaveInTime = async (leave: () => Promise<void>, deadline: AbortSignal) => {
  const left = new AbortController()
  const isLate = aborted(AbortSignal.any([deadline, left.signal])).then(() => pause(leavingMs, left.signal))
  await Promise.race([leave(), isLate])
  // Ends the waiting, which would outlive the session.
  left.abort()
}
