/**
 * Sealing R for the server: HPKE base mode (RFC 9180), DHKEM(P-256, HKDF-SHA256), HKDF-SHA256, AES-256-GCM (A15).
 *
 * Blob: key id (16 ASCII hex characters) ‖ encapsulated key (65 bytes) ‖ ciphertext. No associated data: what it is
 * bound to goes into `info`.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from 'hpke'
import { type Challenge, challengeContext } from './challenge.ts'
import { ascii, join, toHex } from './octets.ts'

const LABEL = ascii('ingam/vid-random/1')
const POINT = 65

/** The id of a server key: the first 16 hex characters of the SHA-256 of its uncompressed point. */
export function sealKeyId(publicKey: Uint8Array): string {
  return toHex(sha256(publicKey)).slice(0, 16)
}

/** `ingam/vid-random/1` ‖ key id ‖ SHA-256 of the challenge without its `sealed` line. */
export function sealInfo(keyId: string, challenge: Challenge, certificate: Uint8Array): Uint8Array {
  return join(LABEL, ascii(keyId), challengeContext(challenge, certificate))
}

/**
 * Seals R. `publicKey`: the server's uncompressed P-256 point, 65 bytes; `random`: DER of the BIT STRING, verbatim.
 *
 * Throws RangeError for a point of another size, and hpke's DeserializeError for one off the curve.
 */
export async function sealRandom(
  publicKey: Uint8Array,
  random: Uint8Array,
  challenge: Challenge,
  certificate: Uint8Array,
): Promise<Uint8Array> {
  if (publicKey.length !== POINT || publicKey[0] !== 4) throw new RangeError('not an uncompressed P-256 point')
  const suite = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
  const recipient = await suite.DeserializePublicKey(publicKey)
  const keyId = sealKeyId(publicKey)
  const sealed = await suite.Seal(recipient, random, { info: sealInfo(keyId, challenge, certificate) })
  return join(ascii(keyId), sealed.encapsulatedSecret, sealed.ciphertext)
}
