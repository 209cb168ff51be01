/** Which roots count in the vault: its own settings say it, not the center (security A15, B10, D6). */

import { sha256 } from '@noble/hashes/sha2.js'
import { Certificate } from '../pure/npki/certificate.ts'
import { isSelfIssued } from '../pure/npki/chain.ts'
import { toHex } from '../pure/octets.ts'
import { fromBase64 } from './base64.ts'

/**
 * Whether every root that the center names is one of the vault's own settings: a center that was taken over could name
 * a root and an encryption certificate of its own, and would learn R (A15). What is no root proves itself below one.
 */
export function knownRoots(anchors: readonly string[], roots: readonly string[]): boolean {
  const self = anchors.map(fromBase64).filter((der) => isSelfIssued(new Certificate(der)))
  return self.length > 0 && self.every((der) => roots.includes(toHex(sha256(der))))
}

/** What a path may be led over here: a root that the center alone names is left out, a CA proves itself below one. */
export function believed(anchors: readonly Certificate[], roots: readonly string[]): readonly Certificate[] {
  return anchors.filter((one) => !isSelfIssued(one) || roots.includes(one.fingerprintHex))
}
