/**
 * ARIA, the Korean block cipher of 128-bit blocks and keys of 128, 192 or 256 bits (RFC 5794).
 *
 * On four 32-bit words: each table holds an S-box and the part of the diffusion layer that stays inside a word; the
 * rest of that layer is sums of words, a shuffle of their bytes, and the same sums again.
 */

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

const T1 = spread(SB1, 0x00010101)
const T2 = spread(SB2, 0x01000101)
const T3 = spread(SB3, 0x01010001)
const T4 = spread(SB4, 0x01010100)

type Four<T> = readonly [T, T, T, T]
/** Substitution layers SL1 and SL2 (§2.4.2): odd rounds take the one, even rounds and the last take the other. */
const ODD: Four<Int32Array> = [T1, T2, T3, T4]
const EVEN: Four<Int32Array> = [T3, T4, T1, T2]
const LAST: Four<Uint8Array> = [SB3, SB4, SB1, SB2]

/** The diffusion layer A (§2.4.3) for round keys: row i names the seven octets whose sum is octet i. */
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
  words(fromHex('517cc1b727220a94fe13abe8fa9a6ee0')),
  words(fromHex('6db14acc9e21c820ff28b1d5ef5de2b0')),
  words(fromHex('db92371d2126e9700324977504e8c90e')),
]

function inverse(box: Uint8Array): Uint8Array {
  const back = new Uint8Array(256)
  for (let x = 0; x < 256; x++) back[box[x]!] = x
  return back
}

function spread(box: Uint8Array, places: number): Int32Array {
  return Int32Array.from(box, (value) => Math.imul(value, places))
}

function words(octets: Uint8Array): Int32Array {
  const view = new DataView(octets.buffer, octets.byteOffset, 16)
  return Int32Array.of(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12))
}

/** One round without its last addition: FO where `boxes` is ODD, FE where it is EVEN (§2.4.1). In place. */
function round(t: Int32Array, keys: Int32Array, at: number, boxes: Four<Int32Array>): void {
  const [a, b, c, d] = boxes
  for (let word = 0; word < 4; word++) {
    const x = t[word]! ^ keys[at + word]!
    t[word] = a[x >>> 24]! ^ b[(x >>> 16) & 0xff]! ^ c[(x >>> 8) & 0xff]! ^ d[x & 0xff]!
  }
  sums(t)
  const still = boxes === ODD ? 0 : 2
  const [pairs, halves, reversed] = [(still + 1) & 3, (still + 2) & 3, (still + 3) & 3] as const
  t[pairs] = swapPairs(t[pairs]!)
  t[halves] = swapHalves(t[halves]!)
  t[reversed] = swapPairs(swapHalves(t[reversed]!))
  sums(t)
}

function sums(t: Int32Array): void {
  t[1]! ^= t[2]!
  t[2]! ^= t[3]!
  t[0]! ^= t[1]!
  t[3]! ^= t[1]!
  t[2]! ^= t[0]!
  t[1]! ^= t[2]!
}

function swapPairs(x: number): number {
  return ((x << 8) & 0xff00ff00) | ((x >>> 8) & 0x00ff00ff)
}

function swapHalves(x: number): number {
  return (x << 16) | (x >>> 16)
}

/** `target` becomes itself plus the other 128 bits. */
function add(target: Int32Array, other: Int32Array): Int32Array {
  for (let word = 0; word < 4; word++) target[word]! ^= other[word]!
  return target
}

/** 128 bits turned to the right by fewer than 128. */
function rotated(x: Int32Array, count: number): Int32Array {
  const whole = count >> 5
  const part = count & 31
  return x.map((_, at) => {
    const low = x[(at - whole + 4) & 3]!
    const high = x[(at - whole + 3) & 3]!
    return part === 0 ? low : (low >>> part) | (high << (32 - part))
  })
}

function turned(x: Int32Array, constant: Int32Array, boxes: Four<Int32Array>): Int32Array {
  const mixed = x.slice()
  round(mixed, constant, 0, boxes)
  return mixed
}

/** The encryption round keys ek1 … (§2.2), four words each: n + 1 of them for n rounds. */
function encryptionKeys(key: Uint8Array): Int32Array {
  const start = { 16: 0, 24: 1, 32: 2 }[key.length]
  if (start === undefined) throw new RangeError('an ARIA key has 16, 24 or 32 bytes')
  const constant = (turn: number): Int32Array => CONSTANTS[(start + turn) % 3]!
  const padded = new Uint8Array(32)
  padded.set(key)
  const w0 = words(padded)
  const right = words(padded.subarray(16))
  const w1 = add(turned(w0, constant(0), ODD), right)
  const w2 = add(turned(w1, constant(1), EVEN), w0)
  const w3 = add(turned(w2, constant(2), ODD), w1)
  const made = [w0, w1, w2, w3]
  const count = 8 + key.length / 4 + 1
  const keys = new Int32Array(4 * count)
  // Right by 19 and 31, then left by 61, 31 and 19, the last one only once.
  for (const [turn, right] of [19, 31, 128 - 61, 128 - 31, 128 - 19].entries()) {
    for (let at = 0; at < 4 && 4 * turn + at < count; at++) {
      keys.set(add(rotated(made[(at + 1) & 3]!, right), made[at]!), 4 * (4 * turn + at))
    }
  }
  for (const secret of [padded, right, ...made]) secret.fill(0)
  return keys
}

/** The decryption round keys (§2.2): the same in reverse, the inner ones through the diffusion layer. */
function decryptionKeys(keys: Int32Array): Int32Array {
  const last = keys.length / 4 - 1
  const back = new Int32Array(keys.length)
  for (let at = 0; at <= last; at++) {
    const from = keys.subarray(4 * (last - at), 4 * (last - at) + 4)
    back.set(at === 0 || at === last ? from : diffused(from), 4 * at)
  }
  return back
}

function diffused(key: Int32Array): Int32Array {
  const octets = Uint8Array.from({ length: 16 }, (_, at) => key[at >> 2]! >>> (24 - 8 * (at & 3)))
  return words(Uint8Array.from(A, (row) => row.reduce((sum, from) => sum ^ octets[from]!, 0)))
}

function block(data: Uint8Array, at: number, keys: Int32Array): void {
  const view = new DataView(data.buffer, data.byteOffset + at, 16)
  const last = keys.length - 8
  const t = Int32Array.of(view.getInt32(0), view.getInt32(4), view.getInt32(8), view.getInt32(12))
  for (let from = 0; from < last; from += 4) round(t, keys, from, from % 8 === 0 ? ODD : EVEN)
  const [a, b, c, d] = LAST
  for (let word = 0; word < 4; word++) {
    const x = t[word]! ^ keys[last + word]!
    const boxed = (a[x >>> 24]! << 24) | (b[(x >>> 16) & 0xff]! << 16) | (c[(x >>> 8) & 0xff]! << 8) | d[x & 0xff]!
    view.setInt32(4 * word, boxed ^ keys[last + 4 + word]!)
  }
}

/** ARIA under a key of 16, 24 or 32 bytes. */
export function aria(key: Uint8Array): BlockCipher {
  const there = encryptionKeys(key)
  const back = decryptionKeys(there)
  return {
    encrypt: (data, at) => block(data, at, there),
    decrypt: (data, at) => block(data, at, back),
    wipe: () => [there, back].forEach((keys) => keys.fill(0)),
    size: 16,
  }
}
