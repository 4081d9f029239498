import { hasSignature } from './bytes.ts'

/** How far into a file readers look for its header (ISO 32000-1, annex H, note 13). */
const headerWithin = 1024

/** Whether a PDF that readers take for one begins at a byte: near the beginning by its mark alone, further back with its version. */
export const isPdf = (bytes: Uint8Array, at: number): boolean =>
  hasSignature(bytes, '%PDF-', at) && (at <= headerWithin || hasVersion(bytes, at + 5))

const hasVersion = (bytes: Uint8Array, at: number): boolean =>
  /^[12]\.\d$/.test(String.fromCharCode(...bytes.subarray(at, at + 3)))
