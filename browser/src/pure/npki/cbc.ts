/** Cipher block chaining with PKCS#7 padding (RFC 5652 §6.3) over a block cipher of ours. */

import { copy } from '../octets.ts'

/** A block cipher under one key: works in place at an offset; `wipe` overwrites the round keys. */
export interface BlockCipher {
  encrypt(data: Uint8Array, at: number): void
  decrypt(data: Uint8Array, at: number): void
  wipe(): void
  readonly size: 8 | 16
}

/** Pads and encrypts; the cipher is wiped. */
export function encryptCbc(cipher: BlockCipher, iv: Uint8Array, plain: Uint8Array): Uint8Array {
  const { size } = cipher
  const padding = size - (plain.length % size)
  const data = new Uint8Array(plain.length + padding).fill(padding)
  data.set(plain)
  let previous = iv
  for (let at = 0; at < data.length; at += size) {
    for (let octet = 0; octet < size; octet++) data[at + octet]! ^= previous[octet]!
    cipher.encrypt(data, at)
    previous = data.subarray(at, at + size)
  }
  cipher.wipe()
  return data
}

/** Decrypts whole blocks and leaves the padding on: a fresh array. The cipher is wiped. */
export function decryptBlocks(cipher: BlockCipher, iv: Uint8Array, encrypted: Uint8Array): Uint8Array {
  const { size } = cipher
  const data = copy(encrypted)
  let previous = iv
  for (let at = 0; at < data.length; at += size) {
    cipher.decrypt(data, at)
    for (let octet = 0; octet < size; octet++) data[at + octet]! ^= previous[octet]!
    previous = encrypted.subarray(at, at + size)
  }
  cipher.wipe()
  return data
}

/** What stands before the padding: a view, or null where the padding is wrong. */
export function unpad(padded: Uint8Array, size: 8 | 16): Uint8Array | null {
  const padding = padded.at(-1) ?? 0
  if (padding === 0 || padding > size || padding > padded.length) return null
  if (!padded.subarray(-padding).every((octet) => octet === padding)) return null
  return padded.subarray(0, padded.length - padding)
}
