/**
 * PBKDF1 with SHA-1 (RFC 8018 §5.1): the derivation of Korean SEED key files, usually 2048 rounds.
 *
 * The rounds run on a SHA-1 of our own for messages of exactly 20 bytes, in 32-bit integers: one block each, no
 * allocation. WebCrypto costs a promise per round, which is some forty times slower.
 */

import { sha1 } from '@noble/hashes/legacy.js'
import { join, wipe } from '../octets.ts'

/** PBKDF1-SHA1 of password and salt: 20 bytes. `iterations` is at least 1. */
export function pbkdf1Sha1(password: Uint8Array, salt: Uint8Array, iterations: number): Uint8Array {
  const start = join(password, salt)
  const digest = sha1(start)
  const words = new Int32Array(5)
  const view = new DataView(digest.buffer, digest.byteOffset, 20)
  for (let at = 0; at < 5; at++) words[at] = view.getInt32(4 * at)
  const schedule = new Int32Array(80)
  for (let turn = 1; turn < iterations; turn++) again(words, schedule)
  for (let at = 0; at < 5; at++) view.setInt32(4 * at, words[at]!)
  wipe(start)
  words.fill(0)
  schedule.fill(0)
  return digest
}

/** words := SHA-1(words) (FIPS 180-4 §6.1.2), the five words being the whole 160-bit message. */
function again(words: Int32Array, w: Int32Array): void {
  w.set(words)
  // The padding of a 160-bit message: one bit, zeros, the length.
  w.fill(0, 6, 15)
  w[5] = 0x80000000 | 0
  w[15] = 160
  for (let t = 16; t < 80; t++) {
    const x = w[t - 3]! ^ w[t - 8]! ^ w[t - 14]! ^ w[t - 16]!
    w[t] = (x << 1) | (x >>> 31)
  }
  let a = 0x67452301
  let b = 0xefcdab89 | 0
  let c = 0x98badcfe | 0
  let d = 0x10325476
  let e = 0xc3d2e1f0 | 0
  let next = 0
  let t = 0
  for (; t < 20; t++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (~b & d)) + e + w[t]! + 0x5a827999) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 40; t++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0x6ed9eba1) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 60; t++) {
    next = (((a << 5) | (a >>> 27)) + ((b & c) | (b & d) | (c & d)) + e + w[t]! + 0x8f1bbcdc) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  for (; t < 80; t++) {
    next = (((a << 5) | (a >>> 27)) + (b ^ c ^ d) + e + w[t]! + 0xca62c1d6) | 0
    e = d
    d = c
    c = (b << 30) | (b >>> 2)
    b = a
    a = next
  }
  words[0] = (a + 0x67452301) | 0
  words[1] = (b + 0xefcdab89) | 0
  words[2] = (c + 0x98badcfe) | 0
  words[3] = (d + 0x10325476) | 0
  words[4] = (e + 0xc3d2e1f0) | 0
}
