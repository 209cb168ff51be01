/** ARIA, the Korean block cipher of 128-bit blocks and keys of 128, 192 or 256 bits (RFC 5794). */

import { fromHex } from '../octets.ts'
import type { BlockCipher } from './cbc.ts'

/** SB1 and SB2 of RFC 5794 §2.4.2; SB3 and SB4 are their inverses. */
const SB1 = fromHex(
  '637c777bf26b6fc53001672bfed7ab76ca82c97dfa5947f0add4a2af9ca472c0b7fd9326363ff7cc34a5e5f171d83115' +
    '04c723c31896059a071280e2eb27b27509832c1a1b6e5aa0523bd6b329e32f8453d100ed20fcb15b6acbbe394a4c58cf' +
    'd0efaafb434d338545f9027f503c9fa851a3408f929d38f5bcb6da2110fff3d2cd0c13ec5f974417c4a77e3d645d1973' +
    '60814fdc222a908846eeb814de5e0bdbe0323a0a4906245cc2d3ac629195e479e7c8376d8dd54ea96c56f4ea657aae08' +
    'ba78252e1ca6b4c6e8dd741f4bbd8b8a703eb5664803f60e613557b986c11d9ee1f8981169d98e949b1e87e9ce5528df' +
    '8ca1890dbfe6426841992d0fb054bb16',
)
const SB2 = fromHex(
  'e24e54fc94c24acc620d6a463c4d8bd15efa64cbb497be2bbc772e03d31959c11d06416b55f09969ea9c18ae63dfe7bb' +
    '007366fb964c85e43a0945aa0fee10eb2d7ff429accfad918d78c895f92fcecd087a88385c832a2847dbb8c793a41253' +
    'ff870e3136215848018e377432cae9b1b7ab0cd7c4564226079860d9b6b91140ec208cbda0c984044923f14f501f13dc' +
    'd8c09e57e3c37b653b028f3ee82592e515ddfd17a9bfd49a7ec53967fe769d43a7e1d0f568f21b347005a38ad57986a8' +
    '30c6514b1ea627f635d26e2416825fdae675a2ef2cb21c9f5d6f800a72449b6c900b5b337d5a52f361a1f7b0d63f7c6d' +
    'ed14e0a53d22b3f889de711aafbab581',
)
const SB3 = inverse(SB1)
const SB4 = inverse(SB2)

/** The diffusion layer A (§2.4.3): row i names the seven octets whose sum is octet i. It is its own inverse. */
const A: readonly (readonly number[])[] = [
  [3, 4, 6, 8, 9, 13, 14],
  [2, 5, 7, 8, 9, 12, 15],
  [1, 4, 6, 10, 11, 12, 15],
  [0, 5, 7, 10, 11, 13, 14],
  [0, 2, 5, 8, 11, 14, 15],
  [1, 3, 4, 9, 10, 14, 15],
  [0, 2, 7, 9, 10, 12, 13],
  [1, 3, 6, 8, 11, 12, 13],
  [0, 1, 4, 7, 10, 13, 15],
  [0, 1, 5, 6, 11, 12, 14],
  [2, 3, 5, 6, 8, 13, 15],
  [2, 3, 4, 7, 9, 12, 14],
  [1, 2, 6, 7, 9, 11, 12],
  [0, 3, 6, 7, 8, 10, 13],
  [0, 3, 4, 5, 9, 11, 14],
  [1, 2, 4, 5, 8, 10, 15],
]

/** C1, C2, C3 of §2.2, taken in turn from a place that depends on the key's length. */
const CONSTANTS = [
  fromHex('517cc1b727220a94fe13abe8fa9a6ee0'),
  fromHex('6db14acc9e21c820ff28b1d5ef5de2b0'),
  fromHex('db92371d2126e9700324977504e8c90e'),
]

function inverse(box: Uint8Array): Uint8Array {
  const back = new Uint8Array(256)
  for (let x = 0; x < 256; x++) back[box[x]!] = x
  return back
}

const ODD = [SB1, SB2, SB3, SB4]
const EVEN = [SB3, SB4, SB1, SB2]

function substitute(state: Uint8Array, boxes: readonly Uint8Array[]): void {
  for (let octet = 0; octet < 16; octet++) state[octet] = boxes[octet % 4]![state[octet]!]!
}

function diffuse(state: Uint8Array): Uint8Array {
  const out = new Uint8Array(16)
  for (let octet = 0; octet < 16; octet++) {
    let sum = 0
    for (const from of A[octet]!) sum ^= state[from]!
    out[octet] = sum
  }
  return out
}

function exclusive(one: Uint8Array, other: Uint8Array): Uint8Array {
  return one.map((octet, at) => octet ^ other[at]!)
}

/** One round without its last addition: FO where `boxes` is ODD, FE where it is EVEN (§2.4.1). */
function round(state: Uint8Array, key: Uint8Array, boxes: readonly Uint8Array[]): Uint8Array {
  const mixed = exclusive(state, key)
  substitute(mixed, boxes)
  return diffuse(mixed)
}

/** Rotates 128 bits to the right. */
function rotate(word: Uint8Array, count: number): Uint8Array {
  const whole = count >> 3
  const part = count & 7
  return word.map((_, at) => {
    const high = word[(at - whole - 1 + 32) % 16]!
    const low = word[(at - whole + 32) % 16]!
    return ((high << 8) | low) >> part
  })
}

/** The encryption round keys ek1 … (§2.2): n + 1 of them for n rounds. */
function encryptionKeys(key: Uint8Array): Uint8Array[] {
  const start = { 16: 0, 24: 1, 32: 2 }[key.length]
  if (start === undefined) throw new RangeError('an ARIA key has 16, 24 or 32 bytes')
  const constant = (turn: number): Uint8Array => CONSTANTS[(start + turn) % 3]!
  const right = new Uint8Array(16)
  right.set(key.subarray(16))
  const w0 = key.slice(0, 16)
  const w1 = exclusive(round(w0, constant(0), ODD), right)
  const w2 = exclusive(round(w1, constant(1), EVEN), w0)
  const w3 = exclusive(round(w2, constant(2), ODD), w1)
  const words = [w0, w1, w2, w3]
  const keys: Uint8Array[] = []
  // Right by 19 and 31, then left by 61, 31 and 19, the last one only once.
  for (const count of [19, 31, 128 - 61, 128 - 31, 128 - 19]) {
    for (let at = 0; at < 4; at++) keys.push(exclusive(words[at]!, rotate(words[(at + 1) % 4]!, count)))
  }
  for (const word of [...words, right, ...keys.splice(roundsOf(key) + 1)]) word.fill(0)
  return keys
}

function roundsOf(key: Uint8Array): number {
  return 8 + key.length / 4
}

/** The decryption round keys (§2.2): the same in reverse, the inner ones through the diffusion layer. */
function decryptionKeys(keys: readonly Uint8Array[]): Uint8Array[] {
  const last = keys.length - 1
  return keys.map((_, at) => (at === 0 || at === last ? keys[last - at]!.slice() : diffuse(keys[last - at]!)))
}

function block(data: Uint8Array, at: number, keys: readonly Uint8Array[]): void {
  const rounds = keys.length - 1
  let state: Uint8Array = data.slice(at, at + 16)
  for (let turn = 0; turn < rounds - 1; turn++) state = round(state, keys[turn]!, turn % 2 === 0 ? ODD : EVEN)
  state = exclusive(state, keys[rounds - 1]!)
  substitute(state, EVEN)
  data.set(exclusive(state, keys[rounds]!), at)
}

/** ARIA under a key of 16, 24 or 32 bytes. */
export function aria(key: Uint8Array): BlockCipher {
  const there = encryptionKeys(key)
  const back = decryptionKeys(there)
  return {
    encrypt: (data, at) => block(data, at, there),
    decrypt: (data, at) => block(data, at, back),
    wipe: () => [...there, ...back].forEach((word) => word.fill(0)),
    size: 16,
  }
}
