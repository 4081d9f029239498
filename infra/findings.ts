import { Validations, type Stack } from 'aws-cdk-lib'

import { purposePrefixes } from '../shared/domain/resources.ts'
import { jobPrefixes } from './access.ts'
import type { Settings } from './settings.ts'

/** A rule of cdk-nag that does not hold, on purpose. */
export type Finding = { rule: string; on: readonly string[]; reason: string; unless?: (settings: Settings) => boolean }

const bucketWord = (end: string) => `arn:<AWS::Partition>:s3:::NAME${end}-<AWS::AccountId>-<AWS::Region>`

/** Rights on objects end in a star by their nature; each is shut in one prefix of one bucket. */
const prefixRights = (
  end: string,
  prefixes: readonly string[],
  on: readonly string[],
  condition: Pick<Finding, 'unless'> = {},
): Finding[] =>
  prefixes.map((prefix) => ({
    rule: `AwsSolutions-IAM5[Resource::${bucketWord(end)}/${prefix}*]`,
    on,
    reason: 'Keys are made at run time: the right is that of one prefix.',
    ...condition,
  }))

const withWorker: Pick<Finding, 'unless'> = { unless: ({ visionWorker }) => !visionWorker }

export const findings: readonly Finding[] = [
  ...prefixRights('', purposePrefixes, ['ApiRole', 'UploadWatcherRole']),
  ...prefixRights('-state', ['verdicts/'], ['ApiRole', 'UploadWatcherRole']),
  ...prefixRights('-state', ['jobs/'], ['ScanDispatcherRole']),
  ...prefixRights('', jobPrefixes, ['VisionWorkerRole'], withWorker),
  ...prefixRights('-state', ['jobs/'], ['VisionWorkerRole'], withWorker),
  {
    rule: 'AwsSolutions-S1',
    on: ['Images', 'State'],
    reason:
      'A server access log of S3 would hold the whole of every ticket, its signature with it. Data events of CloudTrail say the same without.',
  },
  {
    rule: 'AwsSolutions-S1',
    on: ['CdnLogs'],
    reason: 'It holds logs itself.',
    unless: ({ cdn }) => cdn.logDays === 0,
  },
  { rule: 'AwsSolutions-SQS3', on: ['ImageQuarantine'], reason: 'It is where messages end; people empty it.' },
  { rule: 'AwsSolutions-CFR1', on: ['Cdn'], reason: 'Where its users are each installation knows itself.' },
  {
    rule: 'AwsSolutions-CFR2',
    on: ['Cdn'],
    reason: 'It answers GET and HEAD of private keys from a cache; no request reaches a program.',
  },
  {
    rule: 'AwsSolutions-CFR3',
    on: ['Cdn'],
    reason: 'The settings switch access logs off.',
    unless: ({ cdn }) => cdn.logDays > 0,
  },
  {
    rule: 'AwsSolutions-CFR4',
    on: ['Cdn'],
    reason: "CloudFront's own domain takes older TLS; a domain of one's own demands 1.2.",
    unless: ({ cdn }) => cdn.domain !== undefined,
  },
]

/** Tells each finding's reason at the resource that it is about. */
export const acknowledge = (stack: Stack, settings: Settings, reasons: readonly Finding[]): void => {
  for (const { rule, on, reason, unless } of reasons) {
    if (unless?.(settings)) continue
    const id = rule.replace(':::NAME', `:::${settings.name}`)
    for (const name of on) Validations.of(stack.node.findChild(name)).acknowledge({ id, reason })
  }
}
