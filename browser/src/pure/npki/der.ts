/**
 * DER, read strictly and written minimally (X.690 §8-10); every element keeps its raw slice. Twin of npki/der.py.
 *
 * What is signed or hashed is always the received slice, never something decoded and encoded again (security A3).
 * Only what NPKI formats need: definite minimal lengths, low tag numbers, no recursion of its own.
 */

import { Refusal } from '../failure.ts'
import { join, order, toHex } from '../octets.ts'

export const BOOLEAN = 0x01
export const INTEGER = 0x02
export const BIT_STRING = 0x03
export const OCTET_STRING = 0x04
export const NULL = 0x05
export const OID = 0x06
export const UTF8_STRING = 0x0c
export const PRINTABLE_STRING = 0x13
export const T61_STRING = 0x14
export const IA5_STRING = 0x16
export const UTC_TIME = 0x17
export const GENERALIZED_TIME = 0x18
export const BMP_STRING = 0x1e
export const SEQUENCE = 0x30
export const SET = 0x31

/** Content octets of an OBJECT IDENTIFIER; the longest of NPKI has eleven. */
const OID_MOST = 128

/** The bytes are not the DER that the place asks for: code `not-der`. */
export class NotDer extends Refusal {
  constructor(expected: string, found: string | number) {
    super('not-der', { expected, found })
    this.name = 'NotDer'
  }
}

/** One tag-length-value: `data[start..end]` is the whole, `data[body..end]` the content. */
export class Element {
  readonly data: Uint8Array
  readonly tag: number
  readonly start: number
  readonly body: number
  readonly end: number

  constructor(data: Uint8Array, tag: number, start: number, body: number, end: number) {
    this.data = data
    this.tag = tag
    this.start = start
    this.body = body
    this.end = end
  }

  /** Tag, length and content, as received: a view, not a copy. */
  get raw(): Uint8Array {
    return this.data.subarray(this.start, this.end)
  }

  /** The content octets, as received: a view, not a copy. */
  get content(): Uint8Array {
    return this.data.subarray(this.body, this.end)
  }

  /** This element, if it has the tag; throws NotDer. */
  expect(tag: number): Element {
    if (this.tag !== tag) throw new NotDer(hexByte(tag), hexByte(this.tag))
    return this
  }

  /** The elements of a constructed value, to the last byte. */
  children(): Element[] {
    const found: Element[] = []
    for (let at = this.body; at < this.end; ) {
      const child = element(this.data, at, this.end)
      found.push(child)
      at = child.end
    }
    return found
  }

  /** The children of a SEQUENCE (or another constructed tag); throws NotDer. */
  sequence(tag: number = SEQUENCE): Element[] {
    return this.expect(tag).children()
  }

  /** The children, if there are this many; throws NotDer. */
  exactly(count: 1, tag?: number): [Element]
  exactly(count: 2, tag?: number): [Element, Element]
  exactly(count: 3, tag?: number): [Element, Element, Element]
  exactly(count: number, tag: number = SEQUENCE): Element[] {
    const parts = this.sequence(tag)
    if (parts.length !== count) throw new NotDer(`${count} parts`, parts.length)
    return parts
  }

  /** The children, if there are this many or more; throws NotDer. */
  atLeast(count: 1, tag?: number): [Element, ...Element[]]
  atLeast(count: 2, tag?: number): [Element, Element, ...Element[]]
  atLeast(count: 3, tag?: number): [Element, Element, Element, ...Element[]]
  atLeast(count: number, tag: number = SEQUENCE): Element[] {
    const parts = this.sequence(tag)
    if (parts.length < count) throw new NotDer(`${count} parts or more`, parts.length)
    return parts
  }

  /** The one element inside `[number] EXPLICIT`. */
  explicit(number: number): Element {
    const inside = this.sequence(0xa0 | number)
    if (inside.length !== 1) throw new NotDer('one element', inside.length)
    return inside[0]!
  }

  /** A minimally encoded INTEGER. */
  integer(): bigint {
    const content = this.expect(INTEGER).content
    const [first, second] = content
    const padded = second !== undefined && (first === 0 ? second < 0x80 : first === 0xff && second >= 0x80)
    if (first === undefined || padded) throw new NotDer('minimal integer', toHex(content.subarray(0, 2)))
    return BigInt.asIntN(8 * content.length, unsigned(content))
  }

  /** An OBJECT IDENTIFIER in dotted form. */
  oid(): string {
    return decodeOid(this.expect(OID).content)
  }

  /** A BIT STRING without unused bits. */
  bits(): Uint8Array {
    const content = this.expect(BIT_STRING).content
    if (content[0] !== 0) throw new NotDer('whole octets', toHex(content.subarray(0, 1)))
    return content.subarray(1)
  }
}

function hexByte(octet: number): string {
  return octet.toString(16).padStart(2, '0')
}

/** The element at an offset; its end may not pass `limit`. Throws NotDer. */
export function element(data: Uint8Array, at = 0, limit: number = data.length): Element {
  if (at + 2 > limit) throw new NotDer('an element', 'the end')
  const tag = data[at]!
  let length = data[at + 1]!
  let body = at + 2
  if ((tag & 0x1f) === 0x1f) throw new NotDer('a low tag number', hexByte(tag))
  if (length >= 0x80) {
    const count = length & 0x7f
    if (count === 0 || count > 4 || body + count > limit) throw new NotDer('a definite length', hexByte(length))
    length = 0
    for (let octet = 0; octet < count; octet++) length = length * 256 + data[body + octet]!
    if (length < 0x80 || data[body] === 0) throw new NotDer('a minimal length', length)
    body += count
  }
  if (body + length > limit) throw new NotDer('the whole element', limit - body)
  return new Element(data, tag, at, body, body + length)
}

/** The one element that is all of `data`, to the last byte. Throws NotDer. */
export function whole(data: Uint8Array): Element {
  const found = element(data)
  if (found.end !== data.length) throw new NotDer('nothing behind', data.length - found.end)
  return found
}

/** The number of big-endian octets, read in words of 64 bits; no text of it is made on the way. */
export function unsigned(content: Uint8Array): bigint {
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  const odd = content.length % 8
  let value = 0n
  for (let at = 0; at < odd; at++) value = (value << 8n) | BigInt(content[at]!)
  for (let at = odd; at < content.length; at += 8) value = (value << 64n) | view.getBigUint64(at)
  return value
}

/** Dotted form of the content octets of an OBJECT IDENTIFIER (X.690 §8.19). */
export function decodeOid(content: Uint8Array): string {
  // An arc of kilobytes costs quadratic time.
  if (content.length > OID_MOST) throw new NotDer('a short identifier', content.length)
  const arcs: bigint[] = []
  let value = 0n
  let fresh = true
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new NotDer('a minimal arc', '80')
    value = (value << 7n) | BigInt(octet & 0x7f)
    fresh = octet < 0x80
    if (fresh) {
      arcs.push(value)
      value = 0n
    }
  }
  const [root, ...rest] = arcs
  if (!fresh || root === undefined) throw new NotDer('a whole arc', toHex(content.subarray(-1)))
  const first = root < 80n ? root / 40n : 2n
  return [first, root - 40n * first, ...rest].join('.')
}

/** The whole encoding of a dotted OBJECT IDENTIFIER. */
export function oid(dotted: string): Uint8Array {
  const [first = 0n, second = 0n, ...rest] = dotted.split('.').map(BigInt)
  const octets: number[] = []
  for (const arc of [40n * first + second, ...rest]) {
    const groups = [Number(arc & 0x7fn)]
    for (let left = arc >> 7n; left > 0n; left >>= 7n) groups.unshift(0x80 | Number(left & 0x7fn))
    octets.push(...groups)
  }
  return tlv(OID, Uint8Array.from(octets))
}

/** One element with the shortest definite length. Its content is the parts, copied once: no stray copy of a secret. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const size = parts.reduce((sum, part) => sum + part.length, 0)
  if (size < 0x80) return join(Uint8Array.of(tag, size), ...parts)
  const length: number[] = []
  for (let left = size; left > 0; left = Math.floor(left / 256)) length.unshift(left % 256)
  return join(Uint8Array.of(tag, 0x80 | length.length, ...length), ...parts)
}

/** SEQUENCE of encoded parts. */
export function seq(...parts: readonly Uint8Array[]): Uint8Array {
  return tlv(SEQUENCE, ...parts)
}

/** SET OF in DER order (X.690 §11.6). */
export function setOf(parts: readonly Uint8Array[]): Uint8Array {
  return tlv(SET, ...[...parts].sort(order))
}

/** `[number] EXPLICIT`. */
export function explicit(number: number, inner: Uint8Array): Uint8Array {
  return tlv(0xa0 | number, inner)
}

/** INTEGER, minimal two's complement. */
export function integer(value: bigint | number): Uint8Array {
  let left = BigInt(value)
  const octets: number[] = []
  do {
    octets.unshift(Number(BigInt.asUintN(8, left)))
    left >>= 8n
  } while (!(left === 0n && octets[0]! < 0x80) && !(left === -1n && octets[0]! >= 0x80))
  return tlv(INTEGER, Uint8Array.from(octets))
}

/** OCTET STRING. */
export function octets(content: Uint8Array): Uint8Array {
  return tlv(OCTET_STRING, content)
}

/** BIT STRING of whole octets. */
export function bits(content: Uint8Array): Uint8Array {
  return tlv(BIT_STRING, Uint8Array.of(0), content)
}

export const nothing: Uint8Array = new Uint8Array(0)
export const nul: Uint8Array = Uint8Array.of(NULL, 0)

/** AlgorithmIdentifier; pass `nothing` for absent parameters. */
export function algorithm(dotted: string, parameters: Uint8Array = nul): Uint8Array {
  return seq(oid(dotted), parameters)
}
