import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'

import { App, type Stack } from 'aws-cdk-lib'
import { z } from 'zod'

import { readSettings } from '../../settings.ts'
import { makeStack } from '../../stack.ts'

const resourceSchema = z.object({
  Type: z.string(),
  Properties: z.record(z.string(), z.unknown()).default({}),
  DependsOn: z.union([z.string(), z.array(z.string())]).default([]),
  DeletionPolicy: z.string().optional(),
  UpdateReplacePolicy: z.string().optional(),
})
const outputSchema = z.object({ Description: z.string(), Value: z.unknown() })

/** Strict: with parameters, rules or mappings the template would need more than an account. */
const templateSchema = z.strictObject({
  Description: z.string(),
  Resources: z.record(z.string(), resourceSchema),
  Outputs: z.record(z.string(), outputSchema),
})

export type Template = z.infer<typeof templateSchema>
export type Resource = z.infer<typeof resourceSchema>

export type Synthesised = { app: App; stack: Stack; template: Template; bytes: number }

/** The template of these settings, as it would be deployed. */
export const synthesise = (settings: unknown = {}): Synthesised => {
  const outdir = mkdtempSync(join(tmpdir(), 'infra-'))
  after(() => rmSync(outdir, { recursive: true, force: true }))
  const app = new App({ outdir, analyticsReporting: false })
  const stack = makeStack(app, readSettings(settings))
  const template: unknown = app.synth().getStackByName(stack.stackName).template
  return { app, stack, template: templateSchema.parse(template), bytes: JSON.stringify(template).length }
}

export const resourceOf = ({ Resources }: Template, id: string): Resource => {
  const found = Resources[id]
  assert.ok(found, `there is no resource ${id}`)
  return found
}

export const resourcesOf = ({ Resources }: Template, type: string): [string, Resource][] =>
  Object.entries(Resources).filter(([, resource]) => resource.Type === type)

/** The account that policies are tried in. */
export const account = '111122223333'
export const region = 'eu-central-1'

const pseudo: Readonly<Record<string, string>> = {
  'AWS::AccountId': account,
  'AWS::Region': region,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
}

/** What a resource would be called, once it is there. */
const refOf = (template: Template, id: string): string => {
  const known = pseudo[id]
  if (known !== undefined) return known
  const { Type, Properties } = resourceOf(template, id)
  const name = (property: string) => String(resolve(template, Properties[property]))
  switch (Type) {
    case 'AWS::S3::Bucket':
      return name('BucketName')
    case 'AWS::SQS::Queue':
      return `https://sqs.${region}.amazonaws.com/${account}/${name('QueueName')}`
    case 'AWS::CloudFront::Distribution':
      return 'E1EXAMPLE'
    default:
      return `${id}-id`
  }
}

const attributeOf = (template: Template, id: string, attribute: string): string => {
  const { Type, Properties } = resourceOf(template, id)
  const name = (property: string) => String(resolve(template, Properties[property]))
  switch (`${Type} ${attribute}`) {
    case 'AWS::SQS::Queue Arn':
      return `arn:aws:sqs:${region}:${account}:${name('QueueName')}`
    case 'AWS::IAM::Role Arn':
      return `arn:aws:iam::${account}:role/${name('RoleName')}`
    case 'AWS::S3::Bucket Arn':
      return `arn:aws:s3:::${name('BucketName')}`
    case 'AWS::S3::Bucket RegionalDomainName':
      return `${name('BucketName')}.s3.${region}.amazonaws.com`
    case 'AWS::CloudFront::Distribution DomainName':
      return 'd111111abcdef8.cloudfront.net'
    default:
      return `${id}.${attribute}`
  }
}

const asRecord = (value: unknown) => (value !== null && typeof value === 'object' ? Object.entries(value) : [])

/** A value of the template with its functions carried out. */
export const resolve = (template: Template, value: unknown): unknown => {
  if (Array.isArray(value)) return value.map((one) => resolve(template, one))
  const entries = asRecord(value)
  if (entries.length === 0) return value
  const [first] = entries
  if (entries.length === 1 && first) {
    const [name, argument] = first as [string, unknown]
    if (name === 'Ref') return refOf(template, String(argument))
    if (name === 'Fn::GetAtt') {
      const [id, attribute] = z.tuple([z.string(), z.string()]).parse(argument)
      return attributeOf(template, id, attribute)
    }
    if (name === 'Fn::Join') {
      const [separator, parts] = z.tuple([z.string(), z.array(z.unknown())]).parse(argument)
      return parts.map((part) => String(resolve(template, part))).join(separator)
    }
    // Another function would be taken for plain data.
    assert.ok(!name.startsWith('Fn::'), `${name} is not carried out here`)
  }
  return Object.fromEntries(entries.map(([name, one]) => [name, resolve(template, one)]))
}

/** The resources that a resource needs before it: by Ref, GetAtt, Sub and DependsOn. */
export const needsOf = (template: Pick<Template, 'Resources'>, { Properties, DependsOn }: Resource): Set<string> => {
  const needs = new Set([DependsOn].flat())
  const note = (name: string) => {
    if (name in template.Resources) needs.add(name)
  }
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) value.forEach(visit)
    for (const [name, one] of Array.isArray(value) ? [] : asRecord(value)) {
      if (name === 'Ref' && typeof one === 'string') note(one)
      else if (name === 'Fn::GetAtt') note(String([one].flat()[0]).split('.')[0] ?? '')
      else if (name === 'Fn::Sub') {
        for (const [, id = ''] of JSON.stringify(one).matchAll(/\$\{([A-Za-z0-9]+)[^}]*\}/g)) note(id)
        visit(one)
      } else visit(one)
    }
  }
  visit(Properties)
  return needs
}

/** The first circle of resources that need each other, or undefined. */
export const findCycle = (template: Pick<Template, 'Resources'>): string[] | undefined => {
  const done = new Set<string>()
  const follow = (id: string, path: string[]): string[] | undefined => {
    if (path.includes(id)) return [...path.slice(path.indexOf(id)), id]
    const resource = template.Resources[id]
    if (done.has(id) || !resource) return undefined
    for (const need of needsOf(template, resource)) {
      const cycle = follow(need, [...path, id])
      if (cycle) return cycle
    }
    done.add(id)
    return undefined
  }
  for (const id of Object.keys(template.Resources)) {
    const cycle = follow(id, [])
    if (cycle) return cycle
  }
  return undefined
}
