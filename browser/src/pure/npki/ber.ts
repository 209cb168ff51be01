/**
 * BER made DER, for .pfx files of other programs: some write indefinite lengths and octet strings in pieces.
 *
 * Nothing that is signed or hashed may pass through here; what lies inside an octet string comes out as it was.
 */

import { join } from '../octets.ts'
import { type Element, NotDer, OCTET_STRING, octets, tlv, whole } from './der.ts'

const DEPTH_MOST = 16
const CONSTRUCTED = 0x20
const PIECES = OCTET_STRING | CONSTRUCTED

/** The element that is all of `data`: as it is if it is DER, else rewritten. Throws NotDer. */
export function wholeOfBer(data: Uint8Array): Element {
  try {
    return whole(data)
  } catch {
    return whole(toDer(data))
  }
}

/** The same value with definite minimal lengths and whole octet strings (X.690 §8.1.3, §8.7). Throws NotDer. */
export function toDer(data: Uint8Array): Uint8Array {
  const { out, end } = rewritten(data, 0, data.length, DEPTH_MOST)
  if (end !== data.length) throw new NotDer('nothing behind', data.length - end)
  return out
}

interface Rewritten {
  readonly out: Uint8Array
  readonly end: number
}

function rewritten(data: Uint8Array, at: number, limit: number, depth: number): Rewritten {
  if (depth === 0) throw new NotDer('less nesting', 'more')
  const { tag, body, end } = head(data, at, limit)
  if ((tag & CONSTRUCTED) === 0) {
    if (end === null) throw new NotDer('a definite length', '80')
    return { out: tlv(tag, data.subarray(body, end)), end }
  }
  const inside = children(data, body, end ?? limit, end === null, depth)
  if (tag !== PIECES) return { out: tlv(tag, join(...inside.parts)), end: inside.end }
  const pieces = inside.parts.map((part) => whole(part).expect(OCTET_STRING).content)
  return { out: octets(join(...pieces)), end: inside.end }
}

interface Children {
  readonly parts: readonly Uint8Array[]
  readonly end: number
}

function children(data: Uint8Array, start: number, limit: number, indefinite: boolean, depth: number): Children {
  const parts: Uint8Array[] = []
  let at = start
  while (at < limit) {
    if (indefinite && data[at] === 0 && data[at + 1] === 0 && at + 2 <= limit) return { parts, end: at + 2 }
    const part = rewritten(data, at, limit, depth - 1)
    parts.push(part.out)
    at = part.end
  }
  if (indefinite) throw new NotDer('an end of contents', 'the end')
  return { parts, end: at }
}

interface Head {
  readonly tag: number
  readonly body: number
  /** null where the length is indefinite. */
  readonly end: number | null
}

function head(data: Uint8Array, at: number, limit: number): Head {
  if (at + 2 > limit) throw new NotDer('an element', 'the end')
  const tag = data[at]!
  const first = data[at + 1]!
  if ((tag & 0x1f) === 0x1f || tag === 0) throw new NotDer('a low tag number', tag)
  if (first === 0x80) return { tag, body: at + 2, end: null }
  const count = first > 0x80 ? first & 0x7f : 0
  const body = at + 2 + count
  if (count > 4 || body > limit) throw new NotDer('a length of four octets', count)
  let length = count === 0 ? first : 0
  for (let octet = at + 2; octet < body; octet++) length = length * 256 + data[octet]!
  if (body + length > limit) throw new NotDer('the whole element', limit - body)
  return { tag, body, end: body + length }
}
