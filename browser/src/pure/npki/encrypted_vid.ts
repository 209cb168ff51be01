/**
 * EncryptedVID and EncryptContent (KCAC.TS.CMP, npki.md §3): how R reaches the authority inside a CMP request, and
 * nobody else. Twin of encrypted_vid.py; all tags are EXPLICIT.
 *
 * The authority has the person's number by registration: the VID that is sent is of a dummy one (npki.md §6).
 */

import { join, wipe } from '../octets.ts'
import { type Randomness, randomBytes, subtle } from '../platform.ts'
import type { Certificate } from './certificate.ts'
import { algorithm, explicit, integer, octets, oid, seq, unsigned } from './der.ts'
import type { RsaPublic } from './private_key.ts'
import { computeVid } from './vid.ts'

export const ENCRYPTED_VID = oid('1.2.410.200004.10.1.1.2')
export const DUMMY_IDN = '1234561234567'

/** RSA-OAEP with SHA-256, or RSAES-PKCS1-v1_5 for the NPKI profile alone (security D6). */
export type Padding = 'oaep' | 'pkcs1'

const HASH = algorithm('2.16.840.1.101.3.4.2.1')
const MGF1 = algorithm('1.2.840.113549.1.1.8', HASH)
const PADDINGS: Readonly<Record<Padding, Uint8Array>> = {
  oaep: algorithm('1.2.840.113549.1.1.7', seq(explicit(0, HASH), explicit(1, MGF1))),
  pkcs1: algorithm('1.2.840.113549.1.1.1'),
}

/**
 * DER EncryptedVID for the key of the authority's encryption certificate, which the caller has checked.
 *
 * `random`: DER of R's BIT STRING; `randomness` fills the padding of v1.5. Throws BadRandom, CertificateKeyKind.
 */
export async function encryptVid(
  encryption: Certificate,
  random: Uint8Array,
  padding: Padding,
  randomness: Randomness = randomBytes,
): Promise<Uint8Array> {
  const content = writeContent(computeVid(DUMMY_IDN, random), random)
  try {
    const sealed =
      padding === 'oaep' ? oaep(encryption.spki, content) : pkcs1(encryption.publicKey, content, randomness)
    return seq(
      explicit(1, HASH),
      explicit(2, PADDINGS[padding]),
      explicit(3, seq(encryption.issuer.raw, integer(encryption.serial))),
      explicit(4, octets(await sealed)),
    )
  } finally {
    wipe(content)
  }
}

/** EncryptContent: `vid` 32 octets under SHA-256, and R's BIT STRING as it stands in the key. */
export function writeContent(vid: Uint8Array, random: Uint8Array): Uint8Array {
  return seq(seq(HASH, explicit(0, octets(vid))), random)
}

async function oaep(spki: Uint8Array, content: Uint8Array): Promise<Uint8Array> {
  const kind = { name: 'RSA-OAEP', hash: 'SHA-256' }
  const key = await subtle().importKey('spki', spki, kind, true, ['encrypt'])
  return new Uint8Array(await subtle().encrypt(kind, key, content))
}

/**
 * RSAES-PKCS1-v1_5 (RFC 8017 §7.2.1), which WebCrypto leaves out. Throws RangeError where the content does not fit.
 *
 * The number made of the block cannot be overwritten and is left to the collector.
 */
export function pkcs1({ n, e }: RsaPublic, content: Uint8Array, randomness: Randomness = randomBytes): Uint8Array {
  const size = Math.ceil(n.toString(16).length / 2)
  if (content.length > size - 11) throw new RangeError('too long for the key')
  const padding = nonZero(size - 3 - content.length, randomness)
  const block = join(Uint8Array.of(0, 2), padding, Uint8Array.of(0), content)
  const sealed = power(unsigned(block), e, n)
  wipe(block, padding)
  return bigEndian(sealed, size)
}

/** Random octets without a zero (RFC 8017 §7.2.1 step 2a). */
function nonZero(count: number, randomness: Randomness): Uint8Array {
  const found = randomness(count)
  for (let at = 0; at < count; ) {
    if (found[at] === 0) found[at] = randomness(1)[0]!
    else at++
  }
  return found
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n
  for (let left = exponent, square = base % modulus; left > 0n; left >>= 1n, square = (square * square) % modulus) {
    if (left & 1n) result = (result * square) % modulus
  }
  return result
}

function bigEndian(value: bigint, size: number): Uint8Array {
  const found = new Uint8Array(size)
  for (let at = size - 1, left = value; at >= 0; at--, left >>= 8n) found[at] = Number(left & 0xffn)
  return found
}
