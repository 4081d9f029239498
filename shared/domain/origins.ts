/** Whether a text is an origin as S3 and CORS compare it: scheme, host and port. A star is a pattern to S3 and none to the API. */
export const isOrigin = (text: string): boolean =>
  !text.includes('*') && URL.canParse(text) && new URL(text).origin === text
