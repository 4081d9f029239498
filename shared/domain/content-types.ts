import type { ImageType } from './images/image-types.ts'

/** How a declared content type reads. */
export type ReadContentType =
  { ok: true; type: ImageType } | { ok: false; code: 'content_type_not_allowed'; detail: string }

const hints: Readonly<Record<string, string>> = {
  'image/heic': 'Browsers and models cannot read HEIC everywhere: convert the photo to JPEG before the upload.',
  'image/heif': 'Browsers and models cannot read HEIF everywhere: convert the photo to JPEG before the upload.',
  'image/svg+xml': 'SVG is a document that can carry scripts: draw it to a PNG before the upload.',
}

/** Reads a declared type against an allow-list: case does not matter, `image/jpg` means `image/jpeg`, parameters are refused. */
export const readContentType = (text: string, allowed: readonly ImageType[]): ReadContentType => {
  const lower = text.trim().toLowerCase()
  const name = lower === 'image/jpg' ? 'image/jpeg' : lower
  const type = allowed.find((candidate) => candidate === name)
  if (type) return { ok: true, type }
  const why = hints[name] ?? (name.includes(';') ? 'Send the type alone, without parameters.' : '')
  const detail = `"${text.slice(0, 100)}" is not one of ${allowed.join(', ')}. ${why}`.trim()
  return { ok: false, code: 'content_type_not_allowed', detail }
}
