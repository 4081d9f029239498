import { findMark, type Mark } from './marks.ts'

/** How far into a file readers look for its header (ISO 32000-1, annex H, note 13). */
const headerWithin = 1024

const withVersion: readonly Mark[] = [{ begins: ['%PDF-'], pattern: /%PDF-[12]\.\d/y }]

/** Where a PDF begins that readers take for one: near the beginning by its mark alone, further back with its version. */
export const findPdf = (text: string): number => {
  const at = text.indexOf('%PDF-')
  return at <= headerWithin ? at : findMark(text, withVersion)
}
