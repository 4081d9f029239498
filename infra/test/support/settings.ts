import { account, region } from './template.ts'

export const corsOrigins = ['https://app.example.com', 'https://www.example.com:8443']

/** Settings that between them choose everything that can be chosen. */
export const settingsOfAllKinds: Readonly<Record<string, unknown>> = {
  'the default settings': {},
  'all that can be chosen': {
    name: 'photos',
    corsOrigins,
    ticketSeconds: 900,
    rejectedAction: 'delete',
    noncurrentDays: 7,
    visionWorker: true,
    alarmTopic: `arn:aws:sns:${region}:${account}:on-call`,
    mskCluster: `arn:aws:kafka:${region}:${account}:cluster/events/0a1b-2`,
    identity: {
      kind: 'irsa',
      provider: `arn:aws:iam::${account}:oidc-provider/oidc.eks.${region}.amazonaws.com/id/ABC`,
    },
    cdn: {
      invalidation: true,
      domain: {
        name: 'cdn.example.com',
        certificate: `arn:aws:acm:us-east-1:${account}:certificate/0a1b2c3d-0000-0000-0000-000000000000`,
      },
    },
  },
  'no access logs': { cdn: { logDays: 0 } },
}
