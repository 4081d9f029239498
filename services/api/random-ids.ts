import { randomBytes } from 'node:crypto'

const idBytes = 16
const idsADraw = 256

/** Gives 128 random bits as 32 hex digits. They are drawn 256 at once: a draw of its own for each would cost as much as a signature. */
export const randomIds = () => {
  let drawn = ''
  let used = 0
  return (): string => {
    if (used === drawn.length) {
      drawn = randomBytes(idBytes * idsADraw).toString('hex')
      used = 0
    }
    return drawn.slice(used, (used += 2 * idBytes))
  }
}
