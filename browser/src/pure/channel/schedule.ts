/**
 * From ISK to keys: what goes into CPace, the hash of the transcript, keys by direction and purpose, check words (C6, C9).
 *
 * The words also depend on a lot that the sender draws, commits to in SHARE_A and shows in CONFIRM: who answers last
 * could else try shares until the words are those of its choice.
 */

import { hkdf } from '@noble/hashes/hkdf.js'
import { hmac } from '@noble/hashes/hmac.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import { ascii, join, same, wipe } from '../octets.ts'
import { utf8 } from '../platform.ts'
import { lvCat } from './lv.ts'
import type { Mode } from './number.ts'

export type Role = 'sender' | 'receiver'
export type Direction = 'sender to receiver' | 'receiver to sender'

const PROTOCOL = 'ingam-copy/1'
const KEY = 32
/** Octets of a sender's lot. */
export const LOT = 16
export const COMMITMENT = 32

/** Key of what `role` sends. */
export function directionOf(role: Role): Direction {
  return role === 'sender' ? 'sender to receiver' : 'receiver to sender'
}

/** PRS. `digits`: 7; `qr`: 16 bytes in mode `q`, else empty. */
export function passwordString(mode: Mode, digits: string, qr: Uint8Array): Uint8Array {
  return lvCat(ascii(PROTOCOL), ascii(mode), ascii(digits), qr)
}

/** CI. `relay`: its origin; `mailbox`: 5 digits. */
export function channelIdentifier(relay: string, mailbox: string): Uint8Array {
  return lvCat(ascii('sender'), ascii('receiver'), utf8(relay), ascii(mailbox))
}

/** ADa (`versions`: the one chosen) and ADb (`versions`: those offered). `device`: octets as they were sent. */
export function associatedData(role: Role, versions: Uint8Array, mode: Mode, device: Uint8Array): Uint8Array {
  return lvCat(ascii(role), versions, ascii(mode), device)
}

/** TH: SHA-512 over the bodies of HELLO and SHARE_A with their types, and Yb. */
export function transcriptHash(hello: Uint8Array, shareA: Uint8Array, yb: Uint8Array): Uint8Array {
  return sha512(lvCat(hello, shareA, yb))
}

/** 32 bytes each. `tagB` and `tagA`: what the receiver and the sender send to confirm; `words`: the key of the check words. */
export interface Keys {
  readonly toReceiver: Uint8Array
  readonly toSender: Uint8Array
  readonly tagB: Uint8Array
  readonly tagA: Uint8Array
  readonly words: Uint8Array
}

/** HKDF-SHA-512 and both tags. `isk` is overwritten. */
export function keysOf(isk: Uint8Array, transcript: Uint8Array): Keys {
  const derive = (name: string): Uint8Array => hkdf(sha512, isk, transcript, ascii(`${PROTOCOL} ${name}`), KEY)
  const tagB = mac(derive('confirm receiver'), transcript)
  const keys = {
    toReceiver: derive('sender to receiver'),
    toSender: derive('receiver to sender'),
    tagB,
    tagA: mac(derive('confirm sender'), join(transcript, tagB)),
    words: derive('words'),
  }
  wipe(isk)
  return keys
}

function mac(key: Uint8Array, message: Uint8Array): Uint8Array {
  const tag = hmac(sha256, key, message)
  wipe(key)
  return tag
}

/** What SHARE_A says of the sender's lot: 32 bytes that hide it and fit no other. */
export function commitmentOf(lot: Uint8Array): Uint8Array {
  return sha256(lvCat(ascii(`${PROTOCOL} words`), lot))
}

/** Whether it is the lot that was committed to; in constant time. */
export function fits(lot: Uint8Array, commitment: Uint8Array): boolean {
  return same(commitmentOf(lot), commitment)
}

/** The check words of a run whose sender drew this lot. */
export function checkWords(keys: Keys, lot: Uint8Array): readonly [number, number] {
  return wordsOf(hmac(sha256, keys.words, lot))
}

/** Two places, 0 to 1023, in the lists of check words: the first 20 bits. */
export function wordsOf(octets: Uint8Array): readonly [number, number] {
  const [a, b, c] = octets as unknown as readonly [number, number, number]
  return [(a << 2) | (b >> 6), ((b & 0x3f) << 4) | (c >> 4)]
}
