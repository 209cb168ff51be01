/**
 * Signatures of authorities by their AlgorithmIdentifier, verified by WebCrypto. Twin of signature.py, without ML-DSA
 * and PSS: RSA PKCS#1 v1.5 and ECDSA over P-256 and P-384, SHA-256 or better (security A8).
 */

import { same, toHex } from '../octets.ts'
import { subtle } from '../platform.ts'
import { algorithm, type Element, INTEGER, NotDer, nothing, oid, whole } from './der.ts'

type Hash = 'SHA-256' | 'SHA-384' | 'SHA-512'

const RSA_KEY = algorithm('1.2.840.113549.1.1.1')
const EC_KEY = '1.2.840.10045.2.1'
const CURVES = [
  { name: 'P-256', identifier: algorithm(EC_KEY, oid('1.2.840.10045.3.1.7')), size: 32 },
  { name: 'P-384', identifier: algorithm(EC_KEY, oid('1.3.132.0.34')), size: 48 },
] as const

const HASHES: readonly Hash[] = ['SHA-256', 'SHA-384', 'SHA-512']
const hashOf = new Map<string, { readonly kind: 'rsa' | 'ecdsa'; readonly hash: Hash }>(
  HASHES.flatMap((hash, at) => [
    [toHex(algorithm(`1.2.840.113549.1.1.${11 + at}`)), { kind: 'rsa', hash }],
    // RFC 5758 §3.2: without parameters.
    [toHex(algorithm(`1.2.840.10045.4.3.${2 + at}`, nothing)), { kind: 'ecdsa', hash }],
  ]),
)

/** The hash of a signature's DER AlgorithmIdentifier, or null for one that is too weak or unknown. */
export function signatureHash(identifier: Uint8Array): Hash | null {
  return hashOf.get(toHex(identifier))?.hash ?? null
}

/**
 * Whether a signature is a key's over these bytes. `spki`, `identifier`: DER; never throws for what others sent.
 *
 * Keys out of bounds (RSA 2048-4096, e odd in [65537, 2^32)) and algorithms that do not fit the key sign nothing.
 */
export async function isSignedBy(
  spki: Uint8Array,
  identifier: Uint8Array,
  signature: Uint8Array,
  message: Uint8Array,
): Promise<boolean> {
  const scheme = hashOf.get(toHex(identifier))
  if (scheme === undefined) return false
  try {
    const verify = scheme.kind === 'rsa' ? verifyRsa : verifyEcdsa
    return await verify(spki, scheme.hash, signature, message)
  } catch {
    // Neither DER nor a key that the platform loads: nothing that could have signed.
    return false
  }
}

async function verifyRsa(spki: Uint8Array, hash: Hash, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  if (!isRsaWithinBounds(spki)) return false
  const name = 'RSASSA-PKCS1-v1_5'
  const key = await subtle().importKey('spki', spki, { name, hash }, true, ['verify'])
  return subtle().verify(name, key, signature, message)
}

async function verifyEcdsa(spki: Uint8Array, hash: Hash, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const kind = whole(spki).exactly(2)[0].raw
  const curve = CURVES.find(({ identifier }) => same(identifier, kind))
  if (curve === undefined) return false
  const plain = plainSignature(signature, curve.size)
  const key = await subtle().importKey('spki', spki, { name: 'ECDSA', namedCurve: curve.name }, true, ['verify'])
  return subtle().verify({ name: 'ECDSA', hash }, key, plain, message)
}

/** Whether it is an RSA key of the sizes that are used here (security A4). Throws NotDer. */
export function isRsaWithinBounds(spki: Uint8Array): boolean {
  const [kind, bits] = whole(spki).exactly(2)
  if (!same(kind.raw, RSA_KEY)) return false
  const [n, e] = whole(bits.bits()).exactly(2)
  const [modulus, exponent] = [n.integer(), e.integer()]
  const sized = modulus >= 1n << 2047n && modulus < 1n << 4096n && exponent >= 65537n && exponent < 1n << 32n
  return sized && (modulus & exponent & 1n) === 1n
}

/** r and s side by side, as WebCrypto takes them, from the SEQUENCE of X9.62. */
function plainSignature(signature: Uint8Array, size: number): Uint8Array {
  const [r, s] = whole(signature).exactly(2)
  const plain = new Uint8Array(2 * size)
  plain.set(fixed(r, size), size - fixed(r, size).length)
  plain.set(fixed(s, size), 2 * size - fixed(s, size).length)
  return plain
}

function fixed(number: Element, size: number): Uint8Array {
  if (number.expect(INTEGER).integer() <= 0n) throw new NotDer('a positive number', 'another')
  const octets = number.content[0] === 0 ? number.content.subarray(1) : number.content
  if (octets.length > size) throw new NotDer(`at most ${size} octets`, octets.length)
  return octets
}
