import assert from 'node:assert/strict'
import test from 'node:test'

import { evaluate, policySchema, type Call, type Decision } from './support/evaluate.ts'

const role = 'arn:aws:iam::111122223333:role/api'
const one = (statement: object) => policySchema.parse({ Version: '2012-10-17', Statement: [statement] })
const own = (statement: object) =>
  one({ Effect: 'Allow', Action: ['s3:GetObject'], Resource: 'arn:aws:s3:::b/scans/*', ...statement })
const ofBucket = (statement: object) =>
  one({ Effect: 'Deny', Principal: '*', Action: 's3:*', Resource: '*', ...statement })
const get = (context: Record<string, string> = {}, key = 'scans/1'): Call => ({
  action: 's3:GetObject',
  resource: `arn:aws:s3:::b/${key}`,
  caller: { role },
  context,
})

const withCondition = (Condition: object) => ({ own: [own({ Condition })] })

const cases: [string, Call, Parameters<typeof evaluate>[1], Decision][] = [
  ['nothing allows', get(), {}, 'refused'],
  ['an Allow allows', get(), { own: [own({})] }, 'allowed'],
  ['an Allow is of its prefix alone', get({}, 'chat/1'), { own: [own({})] }, 'refused'],
  ['an Allow is of its calls alone', { ...get(), action: 's3:PutObject' }, { own: [own({})] }, 'refused'],
  ['calls are compared without case', get(), { own: [own({ Action: 'S3:getobject' })] }, 'allowed'],
  ['a star in a call stands for any', get(), { own: [own({ Action: 's3:Get*' })] }, 'allowed'],
  [
    'a question mark stands for one character',
    get(),
    { own: [own({ Resource: 'arn:aws:s3:::b/scans/?' })] },
    'allowed',
  ],
  ['a dot stands for itself', get(), { own: [own({ Resource: 'arn:aws:s3:::b.scans/1' })] }, 'refused'],
  ['a Deny goes before any Allow', get(), { own: [own({}), own({ Effect: 'Deny', Sid: 'no' })] }, 'refused by no'],
  [
    "the resource's Deny goes before the caller's Allow",
    get(),
    { own: [own({})], ofResource: [ofBucket({ Sid: 'no' })] },
    'refused by no',
  ],
  [
    "the resource's Allow is enough in one account",
    get(),
    { ofResource: [ofBucket({ Effect: 'Allow', Principal: { AWS: role } })] },
    'allowed',
  ],
  [
    'an Allow for another role is none',
    get(),
    { ofResource: [ofBucket({ Effect: 'Allow', Principal: { AWS: `${role}-2` } })] },
    'refused',
  ],
  [
    'an Allow for a service is none for a role',
    get(),
    { ofResource: [ofBucket({ Effect: 'Allow', Principal: { Service: 's' } })] },
    'refused',
  ],
  ['a positive condition needs its key', get(), withCondition({ StringEquals: { k: 'v' } }), 'refused'],
  [
    'a positive condition with IfExists does not',
    get(),
    withCondition({ StringEqualsIfExists: { k: 'v' } }),
    'allowed',
  ],
  ['IfExists still compares', get({ k: 'w' }), withCondition({ StringEqualsIfExists: { k: 'v' } }), 'refused'],
  ['a negative condition is met without its key', get(), withCondition({ StringNotEquals: { k: 'v' } }), 'allowed'],
  ['of several values one is enough', get({ k: 'w' }), withCondition({ StringEquals: { k: ['v', 'w'] } }), 'allowed'],
  [
    'a negative condition is none of its values',
    get({ k: 'w' }),
    withCondition({ StringNotEquals: { k: ['v', 'w'] } }),
    'refused',
  ],
  ['all keys must hold', get({ k: 'v' }), withCondition({ StringEquals: { k: 'v', l: 'v' } }), 'refused'],
  [
    'all operators must hold',
    get({ k: 'v' }),
    withCondition({ StringEquals: { k: 'v' }, Bool: { k: 'true' } }),
    'refused',
  ],
  ['keys are compared without case', get({ K: 'v' }), withCondition({ StringEquals: { k: 'v' } }), 'allowed'],
  ['a negative condition with IfExists too', get(), withCondition({ StringNotEqualsIfExists: { k: 'v' } }), 'allowed'],
  [
    'a pattern is none to an operator that compares',
    get({ k: 'vw' }),
    withCondition({ StringEquals: { k: 'v*' } }),
    'refused',
  ],
  ['a pattern is one to Like', get({ k: 'vw' }), withCondition({ StringLike: { k: 'v*' } }), 'allowed'],
  ['a star reaches over slashes', get({}, 'scans/1/2/3'), { own: [own({})] }, 'allowed'],
  ['a prefix does not allow what only begins like it', get({}, 'scans'), { own: [own({})] }, 'refused'],
  [
    'a Deny whose condition does not hold denies nothing',
    get({ k: 'w' }),
    { own: [own({})], ofResource: [ofBucket({ Condition: { StringEquals: { k: 'v' } } })] },
    'allowed',
  ],
  [
    'a Deny for want of a key denies',
    get(),
    { own: [own({})], ofResource: [ofBucket({ Sid: 'no', Condition: { Null: { k: 'true' } } })] },
    'refused by no',
  ],
  [
    'a Deny for everybody denies services too',
    { ...get(), caller: { service: 's' } },
    { ofResource: [ofBucket({ Effect: 'Allow', Principal: { Service: 's' } }), ofBucket({ Sid: 'no' })] },
    'refused by no',
  ],
  [
    'an Allow for everybody is also one for nobody in particular',
    { action: 's3:GetObject', resource: 'arn:aws:s3:::b/scans/1' },
    { ofResource: [ofBucket({ Effect: 'Allow' })] },
    'allowed',
  ],
  [
    'a number that is none meets no comparison',
    get({ k: 'x' }),
    withCondition({ NumericLessThan: { k: '1' } }),
    'refused',
  ],
  ['Bool compares without case', get({ k: 'False' }), withCondition({ Bool: { k: 'false' } }), 'allowed'],
  ['Bool needs its key', get(), withCondition({ Bool: { k: 'false' } }), 'refused'],
  ['Null false wants the key', get(), withCondition({ Null: { k: 'false' } }), 'refused'],
  ['values are compared with it', get({ k: 'V' }), withCondition({ StringEquals: { k: 'v' } }), 'refused'],
  ['Null true wants the key away', get(), withCondition({ Null: { k: 'true' } }), 'allowed'],
  ['Null true refuses what is there', get({ k: '*' }), withCondition({ Null: { k: 'true' } }), 'refused'],
  [
    'numbers are compared as numbers',
    get({ k: '900' }),
    withCondition({ NumericGreaterThan: { k: '1000' } }),
    'refused',
  ],
  ['no number is greater than none', get(), withCondition({ NumericGreaterThan: { k: '1000' } }), 'refused'],
  [
    "the caller's ARN is a key",
    get(),
    withCondition({ ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:role/*' } }),
    'allowed',
  ],
  [
    "an ARN's star stays in its part",
    get({ k: 'arn:a:b:c:d:e' }),
    withCondition({ ArnLike: { k: 'arn:*:c:d:e' } }),
    'refused',
  ],
]

for (const [claim, call, policies, expected] of cases) {
  test(`by the rules of IAM ${claim}`, () => {
    assert.equal(evaluate(call, policies), expected)
  })
}

const strange: [string, () => unknown, RegExp][] = [
  ['NotAction', () => own({ NotAction: 's3:*' }), /NotAction/],
  ['NotResource', () => own({ NotResource: '*' }), /NotResource/],
  ['NotPrincipal', () => ofBucket({ NotPrincipal: { AWS: role } }), /NotPrincipal/],
  ['an operator', () => evaluate(get({ k: 'v' }), withCondition({ DateLessThan: { k: 'v' } })), /DateLessThan/],
  [
    'an operator of many values',
    () => evaluate(get({ k: 'v' }), withCondition({ 'ForAllValues:StringEquals': { k: 'v' } })),
    /ForAllValues/,
  ],
  ['another of them', () => evaluate(get(), withCondition({ 'ForAnyValue:StringLike': { k: 'v' } })), /ForAnyValue/],
  ['Null with IfExists', () => evaluate(get(), withCondition({ NullIfExists: { k: 'true' } })), /NullIfExists/],
  ['a variable in a resource', () => own({ Resource: 'arn:aws:s3:::b/${aws:userid}/*' }), /variable/],
  ['a variable in a condition', () => own({ Condition: { StringLike: { k: '${aws:userid}' } } }), /variable/],
  ['a resource without a principal', () => evaluate(get(), { ofResource: [own({})] }), /principal/],
  ['a role with one', () => evaluate(get(), { own: [ofBucket({})] }), /principal/],
  [
    'a kind of principal',
    () => evaluate(get(), { ofResource: [ofBucket({ Principal: { CanonicalUser: 'x' } })] }),
    /CanonicalUser/,
  ],
]
for (const [what, decide, message] of strange) {
  test(`${what} that the rules here do not know is never decided`, () => {
    assert.throws(decide, message)
  })
}
