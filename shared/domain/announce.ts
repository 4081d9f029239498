import type { ImageDeleted, ImageRejected, ImageUploaded, ScanDispatched } from './events.ts'
import { given } from './given.ts'
import { followingEventId, jobId, objectEventId, removalEventId, type Removal } from './ids.ts'
import type { VisionJob } from './jobs.ts'
import type { KeyFacts } from './keys.ts'
import type { StoredObject } from './stored-object.ts'
import { readTraceparent } from './traceparent.ts'
import type { Verdict, VerdictRecord } from './verdict.ts'

/** Where an image stands and how the world sees it. */
export type Place = { bucket: string; cdnBaseUrl: string }

export const cdnUrl = (place: Place, key: string) => `${place.cdnBaseUrl}/${key}`

/** The event that tells a verdict: the same object and verdict give the same event, byte for byte. */
export const announceVerdict = (
  place: Place,
  facts: KeyFacts,
  object: StoredObject,
  verdict: Verdict,
): ImageUploaded | ImageRejected => {
  const identity = imageIdentity(place, facts, object)
  if (verdict.kind === 'rejected') {
    return {
      ...envelope('image.rejected', facts, object),
      id: objectEventId('image.rejected', objectState(place, facts, object)),
      data: {
        ...identity,
        declared_type: object.contentType,
        ...given({ found_type: verdict.foundType }),
        reason: verdict.reason,
        detail: verdict.detail,
      },
    }
  }
  const { type, width, height, orientation, animated, hasGps } = verdict.image
  return {
    ...envelope('image.uploaded', facts, object),
    id: objectEventId('image.uploaded', objectState(place, facts, object)),
    data: {
      ...identity,
      content_type: type,
      width,
      height,
      animated,
      ...given({ orientation, has_gps: hasGps }),
      checked: 'header',
      cdn_url: cdnUrl(place, facts.key),
      ...(facts.purpose === 'scan' ? { job_id: jobId(place.bucket, facts.key) } : {}),
    },
  }
}

/** The verdict as the state bucket keeps it. */
export const recordVerdict = (event: ImageUploaded | ImageRejected): VerdictRecord => {
  const { etag, version_id, size, uploaded_at } = event.data
  const about = {
    event_id: event.id,
    etag,
    ...given({ version_id }),
    size,
    uploaded_at,
  }
  if (event.type === 'image.rejected') {
    const { reason, detail, declared_type } = event.data
    return { verdict: 'rejected', reason, detail, content_type: declared_type, ...about }
  }
  const { content_type, width, height } = event.data
  return { verdict: 'accepted', content_type, width, height, ...about }
}

export const announceRemoval = (
  facts: KeyFacts,
  removal: Removal,
  cause: ImageDeleted['data']['cause'],
): ImageDeleted => {
  const deletedAt = removal.eventTime.toISOString()
  return {
    ...common,
    source: 'urn:image-intake:upload-watcher',
    type: 'image.deleted',
    id: removalEventId('image.deleted', removal),
    subject: facts.key,
    time: deletedAt,
    data: {
      bucket: removal.bucket,
      key: facts.key,
      purpose: facts.purpose,
      user_id: facts.userId,
      ...given({ version_id: removal.versionId }),
      deleted_at: deletedAt,
      cause,
    },
  }
}

export const announceDispatch = (job: VisionJob): ScanDispatched => ({
  ...common,
  source: 'urn:image-intake:scan-dispatcher',
  type: 'scan.dispatched',
  id: followingEventId('scan.dispatched', job.event_id),
  subject: job.key,
  time: job.requested_at,
  ...given({ traceparent: job.traceparent }),
  data: { job_id: job.job_id, key: job.key, user_id: job.user_id, event_id: job.event_id },
})

const common = { specversion: '1.0', datacontenttype: 'application/json' } as const

const envelope = <Type extends 'image.uploaded' | 'image.rejected'>(
  type: Type,
  facts: KeyFacts,
  object: StoredObject,
) => ({
  ...common,
  source: 'urn:image-intake:upload-watcher',
  type,
  subject: facts.key,
  time: object.lastModified.toISOString(),
  ...traceOf(object),
})

/** An uploader may have stored anything under that name. */
const traceOf = ({ metadata }: StoredObject) => given({ traceparent: readTraceparent(metadata['traceparent']) })

const objectState = ({ bucket }: Place, { key }: KeyFacts, object: StoredObject) => ({
  bucket,
  key,
  etag: object.etag,
  lastModified: object.lastModified,
  ...given({ versionId: object.versionId }),
})

const imageIdentity = ({ bucket }: Place, { key, purpose, userId }: KeyFacts, object: StoredObject) => ({
  bucket,
  key,
  purpose,
  user_id: userId,
  size: object.size,
  etag: object.etag,
  ...given({ version_id: object.versionId }),
  uploaded_at: object.lastModified.toISOString(),
})
