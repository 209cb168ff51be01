/**
 * A new key pair with its R, made on the person's device (security B10): RSA by WebCrypto, R from the platform's
 * generator, both in one PKCS#8 as other agents in Korea read it (npki.md §1.1).
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { same, toHex, wipe } from '../octets.ts'
import { type Randomness, randomBytes, subtle } from '../platform.ts'
import { algorithm, bits, integer, OCTET_STRING, seq, setOf, tlv, whole } from './der.ts'
import { PrivateKey, R_LEAST, RANDOM_NUMBER, RSA_ENCRYPTION, type RsaPublic } from './private_key.ts'

/** What to make. `bits` of the modulus: 2048 unless told otherwise; `random(20)` gives R. */
export interface Making {
  readonly bits?: 2048 | 3072
  readonly random?: Randomness
}

/** A key that nobody had before, with R as its attribute. The caller wipes it. */
export async function makeKey({ bits: size = 2048, random = randomBytes }: Making = {}): Promise<PrivateKey> {
  const kind = {
    name: 'RSASSA-PKCS1-v1_5',
    modulusLength: size,
    publicExponent: Uint8Array.of(1, 0, 1),
    hash: 'SHA-256',
  }
  const { privateKey } = await subtle().generateKey(kind, true, ['sign', 'verify'])
  const bare = new Uint8Array(await subtle().exportKey('pkcs8', privateKey))
  const r = random(R_LEAST)
  try {
    return new PrivateKey(withRandom(bare, r))
  } finally {
    wipe(bare, r)
  }
}

/** The same key with R (whole octets) as its only attribute: what the platform may have hung on is left out. */
export function withRandom(pkcs8: Uint8Array, r: Uint8Array): Uint8Array {
  const key = whole(pkcs8).atLeast(3)[2].expect(OCTET_STRING)
  const attribute = seq(RANDOM_NUMBER, setOf([bits(r)]))
  const made = seq(integer(0), algorithm(RSA_ENCRYPTION), key.raw, tlv(0xa0, attribute))
  wipe(attribute)
  return made
}

/** DER SubjectPublicKeyInfo of a key, in the one encoding that everybody writes. */
export function spkiOf({ n, e }: RsaPublic): Uint8Array {
  return seq(algorithm(RSA_ENCRYPTION), bits(seq(integer(n), integer(e))))
}

/** SHA-256 of the SubjectPublicKeyInfo, 64 lower hex: what the center registers the key by (security D1). */
export function spkiHash(key: RsaPublic): string {
  return toHex(sha256(spkiOf(key)))
}

/** Whether two opened keys are the same to the last octet, R included. */
export function sameKey(one: PrivateKey, other: PrivateKey): boolean {
  return same(one.pkcs8, other.pkcs8)
}
