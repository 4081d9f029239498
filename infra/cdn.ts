import type { Stack } from 'aws-cdk-lib'
import {
  CfnCachePolicy,
  CfnDistribution,
  CfnOriginAccessControl,
  CfnResponseHeadersPolicy,
} from 'aws-cdk-lib/aws-cloudfront'
import { CfnBucket, CfnBucketPolicy } from 'aws-cdk-lib/aws-s3'

import { privatePolicy } from './bucket-policies.ts'
import { keep, lockedBucket } from './buckets.ts'
import { bucketName } from './names.ts'
import type { Settings } from './settings.ts'

const daySeconds = 86_400

/** The CDN of the image bucket: reads, and nothing that a viewer sends but the path changes what is answered. */
export const makeCdn = (stack: Stack, settings: Settings, images: CfnBucket) => {
  const accessControl = new CfnOriginAccessControl(stack, 'CdnAccess', {
    originAccessControlConfig: {
      name: bucketName(settings, 'images'),
      originAccessControlOriginType: 's3',
      signingBehavior: 'always',
      signingProtocol: 'sigv4',
    },
  })
  const { domain } = settings.cdn
  const distribution = new CfnDistribution(stack, 'Cdn', {
    distributionConfig: {
      enabled: true,
      comment: `images of ${settings.name}`,
      httpVersion: 'http2and3',
      ipv6Enabled: true,
      origins: [
        {
          id: 'images',
          domainName: images.attrRegionalDomainName,
          originAccessControlId: accessControl.attrId,
          // CloudFront wants it, empty, beside an origin access control.
          s3OriginConfig: { originAccessIdentity: '' },
        },
      ],
      defaultCacheBehavior: {
        targetOriginId: 'images',
        viewerProtocolPolicy: 'redirect-to-https',
        allowedMethods: ['GET', 'HEAD'],
        cachedMethods: ['GET', 'HEAD'],
        compress: true,
        cachePolicyId: makeCachePolicy(stack, settings).ref,
        responseHeadersPolicyId: makeHeadersPolicy(stack, settings).ref,
      },
      // An image that is not there yet may be there the next moment: S3 answers 403 for it, since the CDN may not list.
      customErrorResponses: [403, 404].map((errorCode) => ({ errorCode, errorCachingMinTtl: 0 })),
      ...(domain && {
        aliases: [domain.name],
        viewerCertificate: {
          acmCertificateArn: domain.certificate,
          sslSupportMethod: 'sni-only',
          minimumProtocolVersion: 'TLSv1.2_2021',
        },
      }),
      ...(settings.cdn.logDays > 0 && {
        logging: { bucket: makeLogBucket(stack, settings).attrRegionalDomainName, includeCookies: false },
      }),
    },
  })
  return { distribution, baseUrl: `https://${domain?.name ?? distribution.attrDomainName}` }
}

/** S3 sends no Cache-Control unless the uploader did, so the default decides for nearly every image. */
const makeCachePolicy = (stack: Stack, settings: Settings) =>
  new CfnCachePolicy(stack, 'CdnCache', {
    cachePolicyConfig: {
      name: policyName(settings, 'cache'),
      minTtl: 0,
      defaultTtl: daySeconds,
      maxTtl: 365 * daySeconds,
      parametersInCacheKeyAndForwardedToOrigin: {
        enableAcceptEncodingBrotli: true,
        enableAcceptEncodingGzip: true,
        queryStringsConfig: { queryStringBehavior: 'none' },
        headersConfig: { headerBehavior: 'none' },
        cookiesConfig: { cookieBehavior: 'none' },
      },
    },
  })

/**
 * Refusals get it too: a browser that was told an age would keep the 403 of an image that is not there yet as long as an
 * image. So it asks each time, and an edge answers 304; what was taken out of the caches is gone from browsers as well.
 */
const browserCaching = 'private, no-cache'

/** Whatever an uploader may have stored is shown as an image or not at all, and runs nothing. */
const makeHeadersPolicy = (stack: Stack, settings: Settings) =>
  new CfnResponseHeadersPolicy(stack, 'CdnHeaders', {
    responseHeadersPolicyConfig: {
      name: policyName(settings, 'headers'),
      securityHeadersConfig: {
        contentTypeOptions: { override: true },
        contentSecurityPolicy: {
          contentSecurityPolicy: "default-src 'none'; frame-ancestors 'none'; sandbox",
          override: true,
        },
        strictTransportSecurity: { accessControlMaxAgeSec: 365 * daySeconds, override: true },
      },
      customHeadersConfig: { items: [{ header: 'Cache-Control', value: browserCaching, override: true }] },
    },
  })

/** CloudFront's names are the account's in all regions. */
const policyName = (settings: Settings, word: string) => `${bucketName(settings, 'images')}-${word}`

/** CloudFront's log delivery writes by an ACL, which a bucket of enforced ownership does not have. */
const makeLogBucket = (stack: Stack, settings: Settings): CfnBucket => {
  const bucket = new CfnBucket(stack, 'CdnLogs', {
    ...lockedBucket,
    bucketName: bucketName(settings, 'logs'),
    ownershipControls: { rules: [{ objectOwnership: 'BucketOwnerPreferred' }] },
    lifecycleConfiguration: {
      rules: [{ id: 'log-cleanup', status: 'Enabled', expirationInDays: settings.cdn.logDays }],
    },
  })
  keep(bucket)
  new CfnBucketPolicy(stack, 'CdnLogsPolicy', {
    bucket: bucket.ref,
    policyDocument: privatePolicy(bucket.attrArn),
  })
  return bucket
}
