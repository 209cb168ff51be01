/** Keys, IVs and MAC keys from a password as PKCS#12 derives them (RFC 7292 appendix B). */

import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { join, wipe } from '../octets.ts'
import { fromUtf8 } from '../platform.ts'

export const HASHES = { sha1, sha256, sha384, sha512 } as const
export type HashName = keyof typeof HASHES

export const PURPOSE_KEY = 1
export const PURPOSE_IV = 2
export const PURPOSE_MAC = 3

/** BMPString of the password with its two zero bytes (B.1). Throws TypeError for bytes that are no UTF-8. */
export function pkcs12Password(password: Uint8Array): Uint8Array {
  const text = fromUtf8(password)
  const wide = new Uint8Array(2 * text.length + 2)
  for (let at = 0; at < text.length; at++) {
    wide[2 * at] = text.charCodeAt(at) >> 8
    wide[2 * at + 1] = text.charCodeAt(at) & 0xff
  }
  return wide
}

/** `size` bytes for a purpose; `password` as `pkcs12Password` gives it. Whoever parses iterations bounds them. */
export function pkcs12Kdf(
  hash: HashName,
  purpose: number,
  password: Uint8Array,
  salt: Uint8Array,
  iterations: number,
  size: number,
): Uint8Array {
  const digestOf = HASHES[hash]
  const block = digestOf.blockLen
  const input = join(new Uint8Array(block).fill(purpose), filled(salt, block), filled(password, block))
  const out = new Uint8Array(size)
  for (let made = 0; made < size; ) {
    let digest = digestOf(input)
    for (let turn = 1; turn < iterations; turn++) digest = digestOf(digest)
    const part = digest.subarray(0, size - made)
    out.set(part, made)
    made += part.length
    advance(input.subarray(block), digest, block)
  }
  wipe(input)
  return out
}

/** Copies of `source` to a multiple of the block (B.2, steps 2 and 3). */
function filled(source: Uint8Array, block: number): Uint8Array {
  const whole = new Uint8Array(Math.ceil(source.length / block) * block)
  return whole.map((_, at) => source[at % source.length]!)
}

/** Adds B + 1 to every block modulo its size (B.2, step 6C); B repeats the digest to one block. */
function advance(blocks: Uint8Array, digest: Uint8Array, block: number): void {
  for (let start = 0; start < blocks.length; start += block) {
    let carry = 1
    for (let at = block - 1; at >= 0; at--) {
      carry += blocks[start + at]! + digest[at % digest.length]!
      blocks[start + at] = carry
      carry >>= 8
    }
  }
}
