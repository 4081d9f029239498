import { Aws, type Stack } from 'aws-cdk-lib'
import { CfnRole } from 'aws-cdk-lib/aws-iam'

import { accessOf, choicesOf, roleNames, type RoleName } from './access.ts'
import { roleId } from './names.ts'
import type { Settings } from './settings.ts'
import { allow, policy, type Arns, type Statement } from './statements.ts'

/** One role per service that has something to do, with the rows of the access table. */
export const makeRoles = (stack: Stack, settings: Settings, arns: Arns): void => {
  const choices = choicesOf(settings)
  for (const name of roleNames) {
    const rows = accessOf(name, choices)
    if (rows.length === 0) continue
    new CfnRole(stack, `${idOf(name)}Role`, {
      roleName: roleId(settings, name),
      description: `What ${name} of ${settings.name} may do`,
      assumeRolePolicyDocument: policy(trust(settings.identity, name)),
      policies: [{ policyName: 'access', policyDocument: policy(...rows.map((row) => allow(row, arns))) }],
    })
  }
}

const idOf = (name: RoleName) => name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** What it is about is the role itself. */
type TrustStatement = Omit<Statement, 'Resource'>

/** A pod takes the role whose name its service account has. */
const trust = (identity: Settings['identity'], account: RoleName): TrustStatement => {
  switch (identity.kind) {
    case 'pod-identity':
      return podIdentityTrust(identity, account)
    case 'irsa':
      return irsaTrust(identity, account)
    default:
      throw new Error(`no such identity: ${JSON.stringify(identity satisfies never)}`)
  }
}

type IdentityOf<Kind> = Extract<Settings['identity'], { kind: Kind }>

/** Source: Amazon EKS User Guide, "Create IAM role with trust policy required by EKS Pod Identity". */
const podIdentityTrust = ({ namespace, cluster }: IdentityOf<'pod-identity'>, account: RoleName): TrustStatement => ({
  Effect: 'Allow',
  Principal: { Service: 'pods.eks.amazonaws.com' },
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Condition: {
    StringEquals: {
      'aws:SourceAccount': Aws.ACCOUNT_ID,
      'aws:RequestTag/kubernetes-namespace': namespace,
      'aws:RequestTag/kubernetes-service-account': account,
      ...(cluster === undefined ? {} : { 'aws:RequestTag/eks-cluster-name': cluster }),
    },
  },
})

/** Source: Amazon EKS User Guide, "Assign IAM roles to Kubernetes service accounts". */
const irsaTrust = ({ namespace, provider }: IdentityOf<'irsa'>, account: RoleName): TrustStatement => {
  const issuer = provider.slice(provider.indexOf('oidc-provider/') + 'oidc-provider/'.length)
  return {
    Effect: 'Allow',
    Principal: { Federated: provider },
    Action: ['sts:AssumeRoleWithWebIdentity'],
    Condition: {
      StringEquals: {
        [`${issuer}:aud`]: 'sts.amazonaws.com',
        [`${issuer}:sub`]: `system:serviceaccount:${namespace}:${account}`,
      },
    },
  }
}
