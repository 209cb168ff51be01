/**
 * The text that a person signs to register or to log in: ASCII, ten lines, each ending in LF (security A1).
 *
 * Twin of protocols/challenge; the server rebuilds every byte from its own record and compares.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, toHex } from './octets.ts'

export const PURPOSES = [
  'registration',
  'rebind',
  'login',
  'identity',
  'copy-out',
  'device-remove',
  'contact-change',
  'release',
  'loan',
] as const
export type Purpose = (typeof PURPOSES)[number]

/** What the server hands out. `nonce`, `session`, `body`: 64 lower hex; instants as `2026-11-22T10:00:00Z`. */
export interface Challenge {
  readonly purpose: Purpose
  readonly origin: string
  readonly nonce: string
  readonly issued: string
  readonly expires: string
  readonly session: string
  readonly body: string | null
}

const HASH = /^[0-9a-f]{64}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const ORIGIN = /^https?:\/\/[a-z0-9.-]+(:\d{1,5})?$/

/**
 * The exact bytes to sign. `certificate`: DER; `sealed`: the whole sealed blob, or null for `-`.
 *
 * Throws RangeError for a value that could break out of its line: the vault signs no bytes but those it builds (A19).
 */
export function challengeText(challenge: Challenge, certificate: Uint8Array, sealed: Uint8Array | null): Uint8Array {
  return lines(challenge, certificate, `sealed: ${sealed === null ? '-' : toHex(sha256(sealed))}\n`)
}

/** SHA-256 of the challenge without its `sealed` line, to which the sealing of R is bound (A15). */
export function challengeContext(challenge: Challenge, certificate: Uint8Array): Uint8Array {
  return sha256(lines(challenge, certificate, ''))
}

function lines(challenge: Challenge, certificate: Uint8Array, sealedLine: string): Uint8Array {
  const { purpose, origin, nonce, issued, expires, session, body } = challenge
  if (!PURPOSES.includes(purpose) || !ORIGIN.test(origin)) throw new RangeError('not a challenge')
  if (![nonce, session, body ?? nonce].every((each) => HASH.test(each))) throw new RangeError('not a challenge')
  if (![issued, expires].every((each) => INSTANT.test(each))) throw new RangeError('not a challenge')
  return ascii(
    'INGAM-CHALLENGE/1\n' +
      `purpose: ${purpose}\n` +
      `origin: ${origin}\n` +
      `nonce: ${nonce}\n` +
      `issued: ${issued}\n` +
      `expires: ${expires}\n` +
      `session: ${session}\n` +
      `certificate: ${toHex(sha256(certificate))}\n` +
      sealedLine +
      `body: ${body ?? '-'}\n`,
  )
}
