import assert from 'node:assert/strict'
import test from 'node:test'

import { z } from 'zod'

import { settingsOfAllKinds } from './support/settings.ts'
import { account, region, resolve, resourceOf, resourcesOf, synthesise, type Template } from './support/template.ts'

const distributionSchema = z.object({
  DistributionConfig: z.looseObject({
    Origins: z.array(z.record(z.string(), z.unknown())).length(1),
    DefaultCacheBehavior: z.record(z.string(), z.unknown()),
    CustomErrorResponses: z.array(z.unknown()),
    Logging: z.object({ Bucket: z.string(), IncludeCookies: z.literal(false) }).optional(),
    Aliases: z.array(z.string()).optional(),
    ViewerCertificate: z.unknown().optional(),
  }),
})

const configOf = (template: Template) =>
  distributionSchema.parse(resolve(template, resourceOf(template, 'Cdn').Properties)).DistributionConfig

const { template } = synthesise()
const config = configOf(template)

test('the CDN reaches the image bucket by an origin access control, and by no identity of the old kind', () => {
  assert.deepEqual(config.Origins, [
    {
      Id: 'images',
      DomainName: `image-intake-${account}-${region}.s3.${region}.amazonaws.com`,
      OriginAccessControlId: 'CdnAccess.Id',
      S3OriginConfig: { OriginAccessIdentity: '' },
    },
  ])
  const { OriginAccessControlConfig } = z
    .object({ OriginAccessControlConfig: z.looseObject({}) })
    .parse(resolve(template, resourceOf(template, 'CdnAccess').Properties))
  assert.deepEqual(OriginAccessControlConfig, {
    Name: `image-intake-${account}-${region}`,
    OriginAccessControlOriginType: 's3',
    SigningBehavior: 'always',
    SigningProtocol: 'sigv4',
  })
})

test('the CDN answers GET and HEAD over TLS, compressed, by the policies of this stack', () => {
  assert.deepEqual(config.DefaultCacheBehavior, {
    TargetOriginId: 'images',
    ViewerProtocolPolicy: 'redirect-to-https',
    AllowedMethods: ['GET', 'HEAD'],
    CachedMethods: ['GET', 'HEAD'],
    Compress: true,
    CachePolicyId: 'CdnCache-id',
    ResponseHeadersPolicyId: 'CdnHeaders-id',
  })
})

test('the CDN caches for a day and a year at most, and nothing that a viewer sends changes an answer', () => {
  assert.deepEqual(resolve(template, resourceOf(template, 'CdnCache').Properties), {
    CachePolicyConfig: {
      Name: `image-intake-${account}-${region}-cache`,
      MinTTL: 0,
      DefaultTTL: 86_400,
      MaxTTL: 31_536_000,
      ParametersInCacheKeyAndForwardedToOrigin: {
        EnableAcceptEncodingBrotli: true,
        EnableAcceptEncodingGzip: true,
        QueryStringsConfig: { QueryStringBehavior: 'none' },
        HeadersConfig: { HeaderBehavior: 'none' },
        CookiesConfig: { CookieBehavior: 'none' },
      },
    },
  })
})

test('that an image is missing is never cached', () => {
  assert.deepEqual(config.CustomErrorResponses, [
    { ErrorCode: 403, ErrorCachingMinTTL: 0 },
    { ErrorCode: 404, ErrorCachingMinTTL: 0 },
  ])
})

test('every answer says that it is what its type says, runs nothing and is asked for again by a browser', () => {
  assert.deepEqual(resolve(template, resourceOf(template, 'CdnHeaders').Properties), {
    ResponseHeadersPolicyConfig: {
      Name: `image-intake-${account}-${region}-headers`,
      SecurityHeadersConfig: {
        ContentTypeOptions: { Override: true },
        ContentSecurityPolicy: {
          ContentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
          Override: true,
        },
        StrictTransportSecurity: { AccessControlMaxAgeSec: 31_536_000, Override: true },
      },
      CustomHeadersConfig: { Items: [{ Header: 'Cache-Control', Value: 'private, no-cache', Override: true }] },
    },
  })
})

test('access logs go to a bucket of their own, unless the settings switch them off', () => {
  assert.equal(config.Logging?.Bucket, `image-intake-logs-${account}-${region}.s3.${region}.amazonaws.com`)
  const without = synthesise({ cdn: { logDays: 0 } }).template
  assert.equal(configOf(without).Logging, undefined)
  assert.deepEqual(
    resourcesOf(without, 'AWS::S3::Bucket').map(([id]) => id),
    ['Images', 'State'],
  )
})

test('a domain of its own stands in the CDN, its certificate and CDN_BASE_URL', () => {
  const { template: own } = synthesise(settingsOfAllKinds['all that can be chosen'])
  const { Aliases, ViewerCertificate } = configOf(own)
  assert.deepEqual(Aliases, ['cdn.example.com'])
  assert.deepEqual(ViewerCertificate, {
    AcmCertificateArn: `arn:aws:acm:us-east-1:${account}:certificate/0a1b2c3d-0000-0000-0000-000000000000`,
    SslSupportMethod: 'sni-only',
    MinimumProtocolVersion: 'TLSv1.2_2021',
  })
  assert.equal(own.Outputs['CdnBaseUrl']?.Value, 'https://cdn.example.com')
  assert.equal(resolve(template, template.Outputs['CdnBaseUrl']?.Value), 'https://d111111abcdef8.cloudfront.net')
})
