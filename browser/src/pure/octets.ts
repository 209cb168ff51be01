/** Octet strings: hex, joining, comparing, overwriting. */

import { utf8 } from './platform.ts'

/** Lower-case hex, two digits an octet. */
export function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const octet of bytes) text += octet.toString(16).padStart(2, '0')
  return text
}

/** The octets of a hex text; throws RangeError on anything else. */
export function fromHex(text: string): Uint8Array {
  if (!/^([0-9a-fA-F]{2})*$/.test(text)) throw new RangeError('not hex')
  const bytes = new Uint8Array(text.length / 2)
  for (let at = 0; at < bytes.length; at++) bytes[at] = Number.parseInt(text.slice(2 * at, 2 * at + 2), 16)
  return bytes
}

/** The parts, one behind the other, in a new array. */
export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((size, part) => size + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

/** The same octets in an array of their own; `slice` of a node Buffer would share them. */
export function copy(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes)
}

/** Equality that reads every octet of equally long values. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false
  let difference = 0
  for (let at = 0; at < one.length; at++) difference |= one[at]! ^ other[at]!
  return difference === 0
}

/** Where `sought` first stands in `bytes`, or -1. */
export function indexOf(bytes: Uint8Array, sought: Uint8Array): number {
  for (let at = 0; at + sought.length <= bytes.length; at++) {
    if (same(bytes.subarray(at, at + sought.length), sought)) return at
  }
  return -1
}

/** Order of octet strings as DER sorts a SET OF (X.690 §11.6): by octet, a prefix first. */
export function order(one: Uint8Array, other: Uint8Array): number {
  const shared = Math.min(one.length, other.length)
  for (let at = 0; at < shared; at++) {
    if (one[at] !== other[at]) return one[at]! - other[at]!
  }
  return one.length - other.length
}

/** Overwrites with zeros (security B11). What moved to a worker is none of ours any more, and refuses to be filled. */
export function wipe(...secrets: readonly Uint8Array[]): void {
  for (const secret of secrets) if (secret.byteLength > 0) secret.fill(0)
}

/** The octets of an ASCII text; throws RangeError on anything else. */
export function ascii(text: string): Uint8Array {
  if (!/^[\x00-\x7f]*$/.test(text)) throw new RangeError('not ASCII')
  return utf8(text)
}
