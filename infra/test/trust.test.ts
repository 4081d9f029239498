import assert from 'node:assert/strict'
import test from 'node:test'

import { evaluate } from './support/evaluate.ts'
import { readPolicies } from './support/policies.ts'
import { account, region, synthesise } from './support/template.ts'

const rolesOf = (settings: unknown) => readPolicies(synthesise(settings).template).roles

test('there is a role for each service, and one more only for a worker or the consumer that invalidates', () => {
  const namesOf = (settings: unknown) => rolesOf(settings).map(({ RoleName }) => RoleName)
  const services = ['api', 'upload-watcher', 'scan-dispatcher'].map((name) => `image-intake-${name}-${region}`)
  assert.deepEqual(namesOf({}), services)
  assert.deepEqual(namesOf({ visionWorker: true }), [...services, `image-intake-vision-worker-${region}`])
  assert.deepEqual(namesOf({ cdn: { invalidation: true } }), [...services, `image-intake-cdn-invalidator-${region}`])
})

const tags = (namespace: string, serviceAccount: string, cluster = 'main') => ({
  'aws:SourceAccount': account,
  'aws:RequestTag/kubernetes-namespace': namespace,
  'aws:RequestTag/kubernetes-service-account': serviceAccount,
  'aws:RequestTag/eks-cluster-name': cluster,
})

const podDecision = (settings: unknown, context: Record<string, string>) => {
  const [api] = rolesOf(settings)
  assert.ok(api)
  const call = {
    action: 'sts:AssumeRole',
    resource: 'the role',
    caller: { service: 'pods.eks.amazonaws.com' },
    context,
  }
  return evaluate(call, { ofResource: [api.AssumeRolePolicyDocument] })
}

test("by Pod Identity a role is that of one service account's pods", () => {
  assert.equal(podDecision({}, tags('image-intake', 'api')), 'allowed')
  assert.equal(podDecision({}, tags('image-intake', 'upload-watcher')), 'refused')
  assert.equal(podDecision({}, tags('default', 'api')), 'refused')
  assert.equal(podDecision({}, { ...tags('image-intake', 'api'), 'aws:SourceAccount': '999999999999' }), 'refused')
  assert.equal(podDecision({}, {}), 'refused')
})

test('by Pod Identity a role may be that of one cluster', () => {
  const settings = { identity: { kind: 'pod-identity', namespace: 'photos', cluster: 'main' } }
  assert.equal(podDecision(settings, tags('photos', 'api')), 'allowed')
  assert.equal(podDecision(settings, tags('photos', 'api', 'other')), 'refused')
})

test('by IRSA a role is that of one service account, for tokens that are meant for STS', () => {
  const issuer = `oidc.eks.${region}.amazonaws.com/id/ABCDEF`
  const provider = `arn:aws:iam::${account}:oidc-provider/${issuer}`
  const [, watcher] = rolesOf({ identity: { kind: 'irsa', namespace: 'photos', provider } })
  assert.deepEqual(watcher?.AssumeRolePolicyDocument.Statement, [
    {
      Effect: 'Allow',
      Principal: { Federated: [provider] },
      Action: ['sts:AssumeRoleWithWebIdentity'],
      Condition: {
        StringEquals: {
          [`${issuer}:aud`]: ['sts.amazonaws.com'],
          [`${issuer}:sub`]: ['system:serviceaccount:photos:upload-watcher'],
        },
      },
    },
  ])
})
