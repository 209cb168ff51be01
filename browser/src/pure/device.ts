/**
 * The text that a software key of a designated device signs: ASCII, nine lines, each ending in LF (security E8).
 *
 * Twin of protocols/device; it is built here from fields, so that the key signs no bytes but these.
 */

import { ascii } from './octets.ts'

/** What the server hands out. `nonce`, `session`, `body`: 64 lower hex; instants as `2026-11-22T10:00:00Z`. */
export interface DeviceChallenge {
  readonly purpose: string
  readonly act: string | null
  readonly origin: string
  readonly nonce: string
  readonly issued: string
  readonly expires: string
  readonly session: string
  readonly body: string | null
}

const WORD = /^[a-z-]{1,32}$/
const HASH = /^[0-9a-f]{64}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/

/** The exact bytes to sign. Throws RangeError for a value that could break out of its line, or for another origin. */
export function deviceText(challenge: DeviceChallenge, here: string): Uint8Array {
  const { purpose, act, origin, nonce, issued, expires, session, body } = challenge
  if (![purpose, act ?? purpose].every((each) => WORD.test(each)) || origin !== here) throw new RangeError('not ours')
  if (![nonce, session, body ?? nonce].every((each) => HASH.test(each))) throw new RangeError('not a challenge')
  if (![issued, expires].every((each) => INSTANT.test(each))) throw new RangeError('not a challenge')
  return ascii(
    'INGAM-DEVICE/1\n' +
      `purpose: ${purpose}\n` +
      `act: ${act ?? '-'}\n` +
      `origin: ${origin}\n` +
      `nonce: ${nonce}\n` +
      `issued: ${issued}\n` +
      `expires: ${expires}\n` +
      `session: ${session}\n` +
      `body: ${body ?? '-'}\n`,
  )
}
