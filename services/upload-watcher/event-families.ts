/**
 * Events that say nothing here, by what they are about: few words, since each is a label of a metric.
 * Sources: Amazon S3 User Guide, "Supported event types" and "Using EventBridge"; MinIO, internal/event/name.go; Ceph, "S3
 * Bucket Notifications Compatibility".
 */
const families: ReadonlyMap<string, string> = new Map([
  ['ObjectTagging', 'tagging'],
  ['ObjectCreated:PutTagging', 'tagging'],
  ['ObjectCreated:DeleteTagging', 'tagging'],
  ['Object Tags Added', 'tagging'],
  ['Object Tags Deleted', 'tagging'],
  ['ObjectAcl', 'acl'],
  ['Object ACL Updated', 'acl'],
  ['ObjectRestore', 'restore'],
  ['Object Restore Initiated', 'restore'],
  ['Object Restore Completed', 'restore'],
  ['Object Restore Expired', 'restore'],
  ['Replication', 'replication'],
  ['ObjectSynced', 'replication'],
  ['LifecycleTransition', 'transition'],
  ['ObjectTransition', 'transition'],
  ['ObjectLifecycle', 'transition'],
  ['IntelligentTiering', 'transition'],
  ['Object Storage Class Changed', 'transition'],
  ['Object Access Tier Changed', 'transition'],
  ['ReducedRedundancyLostObject', 'lost'],
  ['ObjectAccessed', 'access'],
])

/** The family of an event of another kind, `other` when it is none of the known. */
export const findFamily = (eventName: string): string => {
  const [group = ''] = eventName.split(':', 1)
  return families.get(eventName) ?? families.get(group) ?? 'other'
}
