/** Reading QR out of a picture, in JavaScript: quick, and the first to try. */

import { decodeQR } from 'qr/decode.js'
import type { Picture, Texts } from './picture.ts'

/** Beyond one frame's time: nothing waits for this thread. */
const RETRY_MS = 60

/** The first QR of a picture, or none. */
export function read({ width, height, pixels }: Picture): Texts {
  try {
    return [decodeQR({ width, height, data: pixels }, { timeLimit: RETRY_MS })]
  } catch {
    // Nothing found and nothing readable are the same here: the next picture comes.
    return []
  }
}
