import assert from 'node:assert/strict'

import { parseNotification, type NotificationRecord } from '../../../services/upload-watcher/notification.ts'

export const readAll = (body: string) => {
  const notification = parseNotification(body)
  assert.ok(notification.kind === 'records', 'reason' in notification ? notification.reason : notification.kind)
  return notification.records
}

/** The only record of a message. */
export const readOne = (body: string): NotificationRecord => {
  const [read, ...others] = readAll(body)
  assert.deepEqual(others, [])
  assert.ok(read?.ok, read && !read.ok ? read.reason : '')
  return read.record
}

/** Why the first record of a message is refused. */
export const refusal = (body: string): string => {
  const [read] = readAll(body)
  assert.ok(read && !read.ok)
  return read.reason
}

/** Why a message can't be read. */
export const unreadable = (body: string): string => {
  const notification = parseNotification(body)
  assert.ok(notification.kind === 'unreadable', notification.kind)
  return notification.reason
}
