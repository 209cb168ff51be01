/**
 * The messages that the relay carries, to the last octet; and sealing, which hides even their lengths (security C7, C9).
 *
 * The first octet is the type. Exact lengths, nothing left over. Every reader throws ChannelBroken.
 */

import { gcm } from '@noble/ciphers/aes.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { ascii, join, wipe } from '../octets.ts'
import { fromUtf8 } from '../platform.ts'
import { POINT } from './cpace.ts'
import { ChannelBroken, lv, lvCat, Reader } from './lv.ts'
import type { Mode } from './number.ts'
import { COMMITMENT, type Direction, LOT } from './schedule.ts'

export const TYPES = { hello: 1, shareA: 2, shareB: 3, confirm: 4, sealed: 5 } as const
export const INNER = { payload: 0x10, stored: 0x11, refused: 0x12, cancelled: 0x13, asking: 0x14 } as const
const INNERS: readonly number[] = Object.values(INNER)
export const VERSION = 1
export const NONCE = 16
export const TAG = 32
/** Octets of a sealed body: type, inner type, padded text, tag. */
export const SEALED = 16_402
export const BODY_MOST = SEALED
export const PLAIN_MOST = 512
export const CERTIFICATE_MOST = 6144
export const KEY_FILE_MOST = 8192
export const DEVICE_MOST = 120

const VERSIONS_MOST = 8
const PADDED = 16_384
const LENGTH = 2
const SEQUENCE = 8
const DEVICE = /^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u
const CODE = /^[a-z0-9-]{1,64}$/

export interface Hello {
  readonly versions: Uint8Array
  readonly nonce: Uint8Array
  readonly device: Uint8Array
}
export interface ShareA {
  readonly version: number
  readonly mode: Mode
  readonly nonce: Uint8Array
  readonly point: Uint8Array
  /** To the sender's lot. */
  readonly commitment: Uint8Array
  readonly device: Uint8Array
}
export interface ShareB {
  readonly point: Uint8Array
  readonly tag: Uint8Array
}
/** `tag`: tag_a; `lot`: 16 bytes, the sender's own until it is sent. */
export interface Confirm {
  readonly tag: Uint8Array
  readonly lot: Uint8Array
}

export function writeHello({ versions, nonce, device }: Hello): Uint8Array {
  return join(Uint8Array.of(TYPES.hello), lv(versions), nonce, lv(device))
}

export function readHello(body: Uint8Array): Hello {
  const reader = opened(body, TYPES.hello)
  const hello = { versions: reader.lv(1, VERSIONS_MOST), nonce: reader.take(NONCE), device: device(reader) }
  reader.end()
  if (!hello.versions.every((each, at) => at === 0 || hello.versions[at - 1]! < each)) throw new ChannelBroken()
  return hello
}

export function writeShareA(share: ShareA): Uint8Array {
  const head = Uint8Array.of(TYPES.shareA, share.version)
  return join(head, ascii(share.mode), share.nonce, share.point, share.commitment, lv(share.device))
}

export function readShareA(body: Uint8Array): ShareA {
  const reader = opened(body, TYPES.shareA)
  const version = reader.take(1)[0]!
  const mode = String.fromCharCode(reader.take(1)[0]!)
  if (mode !== 'n' && mode !== 'q') throw new ChannelBroken()
  const [nonce, point, commitment] = [reader.take(NONCE), reader.take(POINT), reader.take(COMMITMENT)]
  const share = { version, mode, nonce, point, commitment, device: device(reader) } as const
  reader.end()
  return share
}

export function writeShareB({ point, tag }: ShareB): Uint8Array {
  return join(Uint8Array.of(TYPES.shareB), point, tag)
}

export function readShareB(body: Uint8Array): ShareB {
  const reader = opened(body, TYPES.shareB)
  const share = { point: reader.take(POINT), tag: reader.take(TAG) }
  reader.end()
  return share
}

export function writeConfirm({ tag, lot }: Confirm): Uint8Array {
  return join(Uint8Array.of(TYPES.confirm), tag, lot)
}

export function readConfirm(body: Uint8Array): Confirm {
  const reader = opened(body, TYPES.confirm)
  const confirm = { tag: reader.take(TAG), lot: reader.take(LOT) }
  reader.end()
  return confirm
}

function opened(body: Uint8Array, type: number): Reader {
  if (body.length > PLAIN_MOST) throw new ChannelBroken()
  const reader = new Reader(body)
  if (reader.take(1)[0] !== type) throw new ChannelBroken()
  return reader
}

/** 1 to 120 octets of UTF-8 without control, format and separator characters. */
function device(reader: Reader): Uint8Array {
  const octets = reader.lv(1, DEVICE_MOST)
  if (!DEVICE.test(text(octets))) throw new ChannelBroken()
  return octets
}

function text(octets: Uint8Array): string {
  try {
    return fromUtf8(octets)
  } catch {
    throw new ChannelBroken()
  }
}

/** A body of SEALED octets. `sequence`: of this direction, from 0. Throws RangeError for a content that is too long. */
export function seal(
  key: Uint8Array,
  direction: Direction,
  sequence: number,
  inner: number,
  content: Uint8Array,
): Uint8Array {
  if (content.length > PADDED - LENGTH) throw new RangeError('too long to seal')
  const padded = new Uint8Array(PADDED)
  padded.set([content.length >> 8, content.length & 0xff])
  padded.set(content, LENGTH)
  const sealed = cipher(key, direction, sequence, inner).encrypt(padded)
  wipe(padded)
  return join(Uint8Array.of(TYPES.sealed, inner), sealed)
}

/** Inner type and content of a body that `seal` made with the same key, direction and sequence. */
export function open(
  key: Uint8Array,
  direction: Direction,
  sequence: number,
  body: Uint8Array,
): { readonly inner: number; readonly content: Uint8Array } {
  if (body.length !== SEALED || body[0] !== TYPES.sealed || !INNERS.includes(body[1]!)) throw new ChannelBroken()
  const inner = body[1]!
  const padded = decrypted(key, direction, sequence, inner, body.subarray(2))
  const length = (padded[0]! << 8) | padded[1]!
  const end = LENGTH + length
  if (end > PADDED || padded.subarray(end).some((octet) => octet !== 0)) throw new ChannelBroken()
  const content = padded.slice(LENGTH, end)
  wipe(padded)
  return { inner, content }
}

function decrypted(key: Uint8Array, direction: Direction, sequence: number, inner: number, sealed: Uint8Array): Uint8Array {
  try {
    return cipher(key, direction, sequence, inner).decrypt(sealed)
  } catch {
    throw new ChannelBroken()
  }
}

function cipher(key: Uint8Array, direction: Direction, sequence: number, inner: number): ReturnType<typeof gcm> {
  const counted = new Uint8Array(SEQUENCE)
  new DataView(counted.buffer).setBigUint64(0, BigInt(sequence))
  const nonce = join(new Uint8Array(4), counted)
  return gcm(key, nonce, join(ascii(direction), counted, Uint8Array.of(inner)))
}

/** What is copied: the certificate in DER, and the EncryptedPrivateKeyInfo unchanged (C11). */
export interface Payload {
  readonly certificate: Uint8Array
  readonly keyFile: Uint8Array
}

/** Throws RangeError where one is empty or larger than the protocol carries. */
export function writePayload({ certificate, keyFile }: Payload): Uint8Array {
  if (!fits(certificate, CERTIFICATE_MOST) || !fits(keyFile, KEY_FILE_MOST)) throw new RangeError('too large to copy')
  return lvCat(certificate, keyFile)
}

/** Whether a certificate and its key file can be carried. */
export function canCarry({ certificate, keyFile }: Payload): boolean {
  return fits(certificate, CERTIFICATE_MOST) && fits(keyFile, KEY_FILE_MOST)
}

function fits(bytes: Uint8Array, most: number): boolean {
  return bytes.length >= 1 && bytes.length <= most
}

export function readPayload(content: Uint8Array): Payload {
  const reader = new Reader(content)
  const payload = { certificate: reader.lv(1, CERTIFICATE_MOST), keyFile: reader.lv(1, KEY_FILE_MOST) }
  reader.end()
  return payload
}

/** What a receiver answers with: SHA-256 over what it READ BACK from its storage (C13). */
export function payloadDigest({ certificate, keyFile }: Payload): Uint8Array {
  return sha256(lvCat(certificate, keyFile))
}

/** Whether a text may be sent as the code of a refusal. */
export function isCode(code: string): boolean {
  return CODE.test(code)
}

/** The code of a refusal. */
export function readCode(content: Uint8Array): string {
  const code = text(content)
  if (!isCode(code)) throw new ChannelBroken()
  return code
}
