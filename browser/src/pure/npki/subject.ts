/**
 * Names of certificates (X.501 Name, RFC 5280 §4.1.2.4): decoded values, comparison and display. Twin of subject.py.
 *
 * Two names are the same when their decoded values are, whatever string type or letter case carries them; raw text is
 * never compared (npki.md §2.2).
 */

import { Refusal } from '../failure.ts'
import { fromUtf8 } from '../platform.ts'
import { type Element, NotDer, SET, whole } from './der.ts'

const NAME_MOST = 4096

const SHORT: Readonly<Record<string, string>> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'SERIALNUMBER',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '1.2.840.113549.1.9.1': 'E',
  '0.9.2342.19200300.100.1.1': 'UID',
  '0.9.2342.19200300.100.1.25': 'DC',
}

// Controls, line separators, changes of direction, and letters that nobody sees (zero width, joiners, byte order marks).
const CONTROL = /[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/
/** Every one of them, for texts that are shown all the same. */
export const HIDDEN = new RegExp(CONTROL, 'g')
// What the CA puts behind a person's name: "(english)0020…" of yessign, "-6422061" of SignKorea, "_0000148508".
const SUFFIX = /(?<=.)(?:\(.*|[-_][0-9]+)$/s
// Characters that no file system of the key files' homes takes, and both path separators.
const NO_FILE_NAME = /[/\\:*?"<>|\x00-\x1f]/g

/** The bytes are no Name, or a value is not text of its string type: code `name-malformed`. */
export class NameMalformed extends Refusal {
  constructor(expected: string) {
    super('name-malformed', { expected })
    this.name = 'NameMalformed'
  }
}

/** One decoded attribute: dotted type, its short name (`CN`, `OU` …, else the dotted type) and text. */
export interface Attribute {
  readonly oid: string
  readonly short: string
  readonly value: string
}

/** A distinguished name, root first as encoded. `raw` is the DER of the RDNSequence as received. */
export interface Name {
  readonly raw: Uint8Array
  readonly rdns: readonly (readonly Attribute[])[]
}

/** A Name from the DER of its RDNSequence (at most 4,096 bytes). Throws NameMalformed. */
export function parseName(raw: Uint8Array): Name {
  if (raw.length > NAME_MOST) throw new NameMalformed('a shorter name')
  try {
    return { raw, rdns: whole(raw).sequence().map(readRdn) }
  } catch (failure) {
    throw failure instanceof NotDer ? new NameMalformed('DER') : failure
  }
}

function readRdn(rdn: Element): Attribute[] {
  if (rdn.tag !== SET || rdn.body === rdn.end) throw new NameMalformed('a relative distinguished name')
  return rdn.children().map(readAttribute)
}

function readAttribute(attribute: Element): Attribute {
  const [type, text] = attribute.exactly(2)
  const dotted = type.oid()
  return { oid: dotted, short: SHORT[dotted] ?? dotted, value: decodeString(text.tag, text.content) }
}

/** Text of a string type by its tag. Throws NameMalformed for other types, bad bytes and control characters. */
export function decodeString(tag: number, content: Uint8Array): string {
  const text = decoded(tag, content)
  // A NUL, a line break or a change of direction makes a name on a screen another one than in the certificate.
  if (text === null || CONTROL.test(text)) throw new NameMalformed('text')
  return text
}

function decoded(tag: number, content: Uint8Array): string | null {
  if (tag === 0x0c) return utf8OrNull(content)
  if (tag === 0x14) return String.fromCharCode(...content)
  if (tag === 0x1e) return wide(content, 2)
  if (tag === 0x1c) return wide(content, 4)
  if (![0x12, 0x13, 0x16, 0x1a].includes(tag)) throw new NameMalformed('a string')
  return content.every((octet) => octet < 0x80) ? String.fromCharCode(...content) : null
}

function utf8OrNull(content: Uint8Array): string | null {
  try {
    return fromUtf8(content)
  } catch {
    return null
  }
}

/** UTF-16BE or UTF-32BE without lone surrogates; null where it is not. */
function wide(content: Uint8Array, width: 2 | 4): string | null {
  if (content.length % width !== 0) return null
  const view = new DataView(content.buffer, content.byteOffset, content.length)
  let text = ''
  for (let at = 0; at < content.length; at += width) {
    const unit = width === 2 ? view.getUint16(at) : view.getUint32(at)
    if (unit > 0x10ffff || (width === 4 && unit >= 0xd800 && unit < 0xe000)) return null
    text += width === 2 ? String.fromCharCode(unit) : String.fromCodePoint(unit)
  }
  return /\p{Surrogate}/u.test(text) ? null : text
}

/** All values of an attribute (`CN`, `OU`, `O`, `C` …), root first. */
export function valuesOf(name: Name, short: string): string[] {
  return name.rdns.flat().flatMap((each) => (each.short === short ? [each.value] : []))
}

/** The value nearest the leaf, or null. */
export function valueOf(name: Name, short: string): string | null {
  return valuesOf(name, short).at(-1) ?? null
}

/** A value as it is compared: NFKC, case folded, inner spaces single (RFC 4518 §2, as RFC 5280 §7.1 asks). */
export function fold(value: string): string {
  // There and back again, because lower case alone leaves ß and ς apart from ss and σ, which folding joins; and letter
  // by letter, because the platform writes the last σ of a word as ς.
  const folded = Array.from(value.normalize('NFKC').toUpperCase(), (letter) => letter.toLowerCase())
  return folded.join('').split(/\s+/).filter(Boolean).join(' ')
}

/** What two same names have in common. */
export function nameKey(name: Name): string {
  const keyed = (each: Attribute): string => `${each.oid}=${fold(each.value)}`
  return JSON.stringify(name.rdns.map((rdn) => [...new Set(rdn.map(keyed))].sort()))
}

/** Whether both name the same entry: the same attributes in the same order, by folded decoded values. */
export function sameName(one: Name, other: Name): boolean {
  return nameKey(one) === nameKey(other)
}

/**
 * The holder as a person reads it: CN without what the CA hung on for uniqueness (npki.md §2.2).
 *
 * `홍길동-6422061`, `홍길동(HONG)0020…` and `홍길동_0000148508` give `홍길동`; `(주)코스콤-1` gives `(주)코스콤`.
 */
export function displayName(name: Name): string {
  const common = valueOf(name, 'CN')
  if (common === null) return name.rdns.at(-1)?.at(-1)?.value ?? ''
  return common.replace(SUFFIX, '').trim() || common
}

/** `cn=홍길동-6422061,ou=HTS,…,c=KR`: the name of an NPKI folder (npki.md §4). Leaf first, lower-case attribute names. */
export function folderName(name: Name): string {
  const pieces = [...name.rdns].reverse().flat()
  return pieces.map((each) => `${each.short.toLowerCase()}=${each.value}`).join(',').replace(NO_FILE_NAME, '_')
}

/** `CN=홍길동-6422061,OU=HTS,…,C=KR`: leaf first with the escapes of RFC 4514 §2.4. */
export function nameText(name: Name): string {
  const rdns = [...name.rdns].reverse()
  return rdns.map((rdn) => rdn.map((each) => `${each.short}=${escaped(each.value)}`).join('+')).join(',')
}

function escaped(value: string): string {
  let text = value.replace(/[,+"\\<>;]/g, '\\$&')
  if (/^[# ]/.test(text)) text = `\\${text}`
  if (text.endsWith(' ') && value.length > 1) text = `${text.slice(0, -1)}\\ `
  return text
}
