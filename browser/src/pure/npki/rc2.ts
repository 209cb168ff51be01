/** RC2 (RFC 2268) for reading: some old .pfx files hide their certificates under its 40-bit form. */

import { fromHex } from '../octets.ts'
import type { BlockCipher } from './cbc.ts'

/** PITABLE of RFC 2268 §2. */
const PITABLE = fromHex(
  'd978f9c419ddb5ed28e9fd794aa0d89dc67e37832b76538e624c6488448bfba2179a59f587b34f1361456d8d09817d32' +
    'bd8f40eb86b77b0bf09521225c6b4e8254d66593ce60b21c7356c014a78cf1dc1275ca1f3bbee4d1423dd430a33cb626' +
    '6fbf0eda4669075727f21d9bbc944303f811c7f690ef3ee706c3d52fc8661ed708e8eade8052eef784aa72ac354d6a2a' +
    '961ad2715a1549744b9fd05e0418a4ecc2e0416e0f51cbcc2491af50a1f47039997c3a8523b8b47afc02365b25559731' +
    '2d5dfa98e38a92ae05df2910676cbac9d300e6cfe19ea82c6316013f58e289a90d38341bab33ffb0bb480c5fb9b1cd2e' +
    'c5f3db47e5a59c770aa62068fe7fc1ad',
)
const SHIFTS = [1, 2, 3, 5]

/** The 64 words of an expanded key (§2). */
function schedule(key: Uint8Array, effectiveBits: number): Uint16Array {
  const buffer = new Uint8Array(128)
  buffer.set(key)
  for (let at = key.length; at < 128; at++) buffer[at] = PITABLE[(buffer[at - 1]! + buffer[at - key.length]!) & 0xff]!
  const octets = (effectiveBits + 7) >> 3
  const mask = 0xff >> (8 * octets - effectiveBits)
  buffer[128 - octets] = PITABLE[buffer[128 - octets]! & mask]!
  for (let at = 127 - octets; at >= 0; at--) buffer[at] = PITABLE[buffer[at + 1]! ^ buffer[at + octets]!]!
  const words = Uint16Array.from({ length: 64 }, (_, at) => buffer[2 * at]! | (buffer[2 * at + 1]! << 8))
  buffer.fill(0)
  return words
}

/** RC2 for decryption; `effectiveBits` is 40 or 128 in .pfx files. */
export function rc2(key: Uint8Array, effectiveBits: number): BlockCipher {
  const words = schedule(key, effectiveBits)

  /** Five, six and five mixing rounds with a mashing round between (§4), backwards. */
  function decrypt(data: Uint8Array, at: number): void {
    const view = new DataView(data.buffer, data.byteOffset + at, 8)
    const r = Uint16Array.from({ length: 4 }, (_, word) => view.getUint16(2 * word, true))
    let next = 63
    for (const rounds of [5, 6, 5]) {
      for (let round = 0; round < rounds; round++, next -= 4) unmix(r, words, next)
      if (next >= 0) unmash(r, words)
    }
    r.forEach((word, place) => view.setUint16(2 * place, word, true))
  }

  return {
    encrypt: () => {
      throw new RangeError('RC2 is for reading')
    },
    decrypt,
    wipe: () => void words.fill(0),
    size: 8,
  }
}

function unmix(r: Uint16Array, words: Uint16Array, last: number): void {
  for (let word = 3; word >= 0; word--) {
    const shift = SHIFTS[word]!
    const turned = (r[word]! >> shift) | (r[word]! << (16 - shift))
    const [one, two, three] = [1, 2, 3].map((back) => r[(word - back + 4) % 4]!) as [number, number, number]
    r[word] = turned - words[last - 3 + word]! - (one & two) - (~one & three)
  }
}

function unmash(r: Uint16Array, words: Uint16Array): void {
  for (let word = 3; word >= 0; word--) r[word] = r[word]! - words[r[(word + 3) % 4]! & 63]!
}
