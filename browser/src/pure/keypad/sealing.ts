/**
 * How what was typed travels: a list of keys and of typed text, padded to one length, sealed by HPKE (security E12).
 *
 * Blob: key id (16 ASCII hex characters) ‖ encapsulated key (65 bytes) ‖ ciphertext; every blob has the same length.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { AEAD_AES_256_GCM, CipherSuite, KDF_HKDF_SHA256, KEM_DHKEM_P256_HKDF_SHA256 } from 'hpke'
import { ascii, fromHex, join, toHex } from '../octets.ts'
import { utf8 } from '../platform.ts'
import type { ServerKey } from './layout.ts'

/** A key of the layout, or text of a physical keyboard. A LocalKey is neither. */
export type Typed = { readonly key: ServerKey } | { readonly text: string }

/** What a blob is bound to. */
export interface Where {
  readonly keypad: string
  readonly flow: string
  readonly field: string
}

export const PLAIN = 512
const LABEL = ascii('ingam/keypad/1')
const POINT = 65

/** Label, key id, SHA-256 of three lines. */
export function sealInfo(keyId: string, { keypad, flow, field }: Where): Uint8Array {
  return join(LABEL, ascii(keyId), sha256(ascii(`keypad: ${keypad}\nflow: ${flow}\nfield: ${field}\n`)))
}

/** PLAIN bytes: length (2) ‖ items ‖ zeros; an item is 01 ‖ id (2) or 02 ‖ length (1) ‖ UTF-8. Throws RangeError. */
export function packed(items: readonly Typed[]): Uint8Array {
  const body = join(...items.map(item))
  if (body.length > PLAIN - 2) throw new RangeError('too long')
  const plain = new Uint8Array(PLAIN)
  plain[0] = body.length >> 8
  plain[1] = body.length & 0xff
  plain.set(body, 2)
  body.fill(0)
  return plain
}

function item(one: Typed): Uint8Array {
  if ('key' in one) return join(Uint8Array.of(1), fromHex(one.key))
  const text = utf8(one.text)
  const chunks = []
  for (let at = 0; at < text.length; at += 255) {
    const chunk = text.subarray(at, at + 255)
    chunks.push(join(Uint8Array.of(2, chunk.length), chunk))
  }
  return join(...chunks)
}

/** Seals to the center's key. Throws RangeError for a point of another size or too much text. */
export async function sealTyped(publicKey: Uint8Array, items: readonly Typed[], where: Where): Promise<Uint8Array> {
  if (publicKey.length !== POINT || publicKey[0] !== 4) throw new RangeError('not an uncompressed P-256 point')
  const plain = packed(items)
  const suite = new CipherSuite(KEM_DHKEM_P256_HKDF_SHA256, KDF_HKDF_SHA256, AEAD_AES_256_GCM)
  const recipient = await suite.DeserializePublicKey(publicKey)
  const keyId = toHex(sha256(publicKey)).slice(0, 16)
  const sealed = await suite.Seal(recipient, plain, { info: sealInfo(keyId, where) })
  plain.fill(0)
  return join(ascii(keyId), sealed.encapsulatedSecret, sealed.ciphertext)
}
