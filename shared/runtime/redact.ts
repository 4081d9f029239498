const redacted = '[redacted]'

const secretKeys = [
  '(?:proxy-)?authorization',
  '(?:set-)?cookie',
  '(?:access_?|id_?|refresh_?|session_?|x-amz-security-)?token',
  'upload_?url',
  '(?:jwt_?)?secret',
  'secret_?access_?key',
  'password',
  'signature(?:provided)?',
].join('|')

// What is matched is JSON text: a backslash may stand before a quote, and "\neyJ" is an n before a token, so \b proves
// nothing. No pattern may backtrack over more than a bounded stretch: a caller can have 16 KB of its own text logged.
const rules: readonly [RegExp, string][] = [
  // A member with a telling name: its whole value.
  [new RegExp(`("(?:${secretKeys})"\\s*:\\s*)(?:"(?:[^"\\\\]|\\\\.)*"|-?\\d[\\d.eE+-]*)`, 'gi'), `$1"${redacted}"`],
  // The same in JSON that stands as text inside a JSON string.
  [new RegExp(`(\\\\"(?:${secretKeys})\\\\{1,7}"\\s*:\\s*\\\\{1,7}")[^"\\\\]*`, 'gi'), `$1${redacted}`],
  // The query of a signed URL (SigV4, SigV2 and CloudFront), also when the URL is itself percent-encoded.
  [/\?[^\s"\\?<>]*(?:X-Amz-[a-z-]+|Signature|Key-Pair-Id|AWSAccessKeyId)=[^\s"\\<>]*/gi, `?${redacted}`],
  [/(X-Amz-(?:Signature|Credential|Security-Token)(?:=|%(?:25)?3D|:\s?))[^\s"'\\<>&,;]+/gi, `$1${redacted}`],
  [/((?:Signature|Credential)=)[^\s"'\\<>&,;]+/gi, `$1${redacted}`],
  // Tokens: JWS has three parts, JWE five of which the second may be empty.
  [/eyJ[\w-]{0,2000}(?:\.[\w-]*){2,4}/g, redacted],
  [/(Bearer(?:\s|%20|\+)+)[\w.~+/=-]+/gi, `$1${redacted}`],
]

/** Stands in whatever a rule applies to. Most lines have none of it, and one search is cheaper than all the rules. */
const suspicious = new RegExp(`${secretKeys}|credential|bearer|eyJ|x-amz-|key-pair-id|awsaccesskeyid`, 'i')

/**
 * A line or sentence without signatures, tokens, credentials and the queries of signed URLs, wherever they stand in it.
 * What was valid JSON stays valid JSON.
 */
export const redact = (text: string): string =>
  suspicious.test(text)
    ? rules.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
    : text
