/**
 * Triple DES with three keys (NIST SP 800-67), for Korean .pfx files and nothing else (npki.md §4.1).
 *
 * Written bit by bit, as the standard's tables read: a .pfx has some 160 blocks.
 */

import type { BlockCipher } from './cbc.ts'

const IP = table(
  '58 50 42 34 26 18 10 2 60 52 44 36 28 20 12 4 62 54 46 38 30 22 14 6 64 56 48 40 32 24 16 8 ' +
    '57 49 41 33 25 17 9 1 59 51 43 35 27 19 11 3 61 53 45 37 29 21 13 5 63 55 47 39 31 23 15 7',
)
const FP = inverse(IP)
const E = table(
  '32 1 2 3 4 5 4 5 6 7 8 9 8 9 10 11 12 13 12 13 14 15 16 17 ' +
    '16 17 18 19 20 21 20 21 22 23 24 25 24 25 26 27 28 29 28 29 30 31 32 1',
)
const P = table('16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25')
const PC1 = table(
  '57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36 ' +
    '63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4',
)
const PC2 = table(
  '14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 ' +
    '41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32',
)
const SHIFTS = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1]

/** S1-S8, a hex digit an entry, four rows of sixteen each. */
const S = [
  'e4d12fb83a6c59070f74e2d1a6cb953841e8d62bfc973a50fc8249175b3ea06d',
  'f18e6b34972dc05a3d47f28ec01a69b50e7ba4d158c6932fd8a13f42b67c05e9',
  'a09e63f51dc7b428d709346a285ecbf1d6498f30b12c5ae71ad069874fe3b52c',
  '7de3069a1285bc4fd8b56f03472c1ae9a690cb7df13e52843f06a1d8945bc72e',
  '2c417ab6853fd0e9eb2c47d150fa3986421bad78f9c5630eb8c71e2d6f09a453',
  'c1af92680d34e75baf427c9561de0b389ef528c3704a1db6432c95fabe17608d',
  '4b2ef08d3c975a61d0b7491ae35c2f8614bdc37eaf6805926bd814a7950fe23c',
  'd2846fb1a93e50c71fd8a374c56b0e927b419ce206adf35821e74a8dfc90356b',
].map((box) => Uint8Array.from(box, (digit) => Number.parseInt(digit, 16)))

function table(text: string): Uint8Array {
  return Uint8Array.from(text.split(' '), (place) => Number(place) - 1)
}

function inverse(places: Uint8Array): Uint8Array {
  const back = new Uint8Array(places.length)
  for (let at = 0; at < places.length; at++) back[places[at]!] = at
  return back
}

type Bits = Uint8Array

function toBits(bytes: Uint8Array): Bits {
  return Uint8Array.from({ length: 8 * bytes.length }, (_, at) => (bytes[at >> 3]! >> (7 - (at & 7))) & 1)
}

function place(bits: Bits, places: Uint8Array): Bits {
  return places.map((from) => bits[from]!)
}

/** The sixteen round keys of 48 bits. */
function schedule(key: Uint8Array): Bits[] {
  const chosen = place(toBits(key), PC1)
  let turned = 0
  return SHIFTS.map((shift) => {
    turned += shift
    return PC2.map((from) => chosen[from < 28 ? (from + turned) % 28 : 28 + ((from - 28 + turned) % 28)]!)
  })
}

/** The function f: expansion, key, S-boxes, permutation. */
function f(right: Bits, key: Bits): Bits {
  const mixed = place(right, E)
  for (let at = 0; at < 48; at++) mixed[at]! ^= key[at]!
  const out = new Uint8Array(32)
  for (let box = 0; box < 8; box++) {
    const [a, b, c, d, e, g] = mixed.subarray(6 * box, 6 * box + 6) as unknown as number[]
    const row = (a! << 1) | g!
    const value = S[box]![16 * row + ((b! << 3) | (c! << 2) | (d! << 1) | e!)]!
    for (let bit = 0; bit < 4; bit++) out[4 * box + bit] = (value >> (3 - bit)) & 1
  }
  return place(out, P)
}

/** One DES pass over 64 bits, without the permutations at both ends: between passes they cancel each other. */
function pass(bits: Bits, keys: readonly Bits[]): Bits {
  let left: Bits = bits.slice(0, 32)
  let right: Bits = bits.slice(32)
  for (const key of keys) {
    const mixed = f(right, key)
    for (let at = 0; at < 32; at++) mixed[at]! ^= left[at]!
    left = right
    right = mixed
  }
  const swapped = new Uint8Array(64)
  swapped.set(right)
  swapped.set(left, 32)
  return swapped
}

/** Encrypt-decrypt-encrypt under a key of 24 bytes. */
export function tripleDes(key: Uint8Array): BlockCipher {
  if (key.length !== 24) throw new RangeError('a key of triple DES has 24 bytes')
  const [one, two, three] = [0, 8, 16].map((at) => schedule(key.subarray(at, at + 8))) as [Bits[], Bits[], Bits[]]
  const reversed = (keys: readonly Bits[]): Bits[] => [...keys].reverse()
  const there = [one, reversed(two), three]
  const back = [reversed(three), two, reversed(one)]

  function block(data: Uint8Array, at: number, passes: readonly Bits[][]): void {
    let bits: Bits = place(toBits(data.subarray(at, at + 8)), IP)
    for (const keys of passes) bits = pass(bits, keys)
    bits = place(bits, FP)
    for (let octet = 0; octet < 8; octet++) {
      data[at + octet] = bits.subarray(8 * octet, 8 * octet + 8).reduce((value, bit) => (value << 1) | bit, 0)
    }
  }

  return {
    encrypt: (data, at) => block(data, at, there),
    decrypt: (data, at) => block(data, at, back),
    wipe: () => [...one, ...two, ...three].forEach((bits) => bits.fill(0)),
    size: 8,
  }
}
