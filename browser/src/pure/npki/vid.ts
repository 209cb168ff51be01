/**
 * VID (식별번호): what ties a certificate to a person's number without holding it (KCAC.TS.SIVID v1.21). Twin of vid.py.
 *
 * VID = h(h(HashContent)), HashContent = SEQUENCE { idn PrintableString, randomNum BIT STRING }. R and a certificate
 * together let anybody search for the number: both are secrets of one function (security A14).
 */

import { sha1 } from '@noble/hashes/legacy.js'
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { Refusal } from '../failure.ts'
import { ascii, same, wipe } from '../octets.ts'
import { fromUtf8 } from '../platform.ts'
import { type Element, NotDer, NULL, OCTET_STRING, PRINTABLE_STRING, seq, tlv, UTF8_STRING, whole } from './der.ts'
import { BadRandom, R_LEAST, R_MOST } from './private_key.ts'

const VID = '1.2.410.200004.10.1.1.1'
const HASHES = { sha1, sha256, sha384, sha512 } as const
export type VidHashName = keyof typeof HASHES
const HASH_OIDS: Readonly<Record<string, VidHashName>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
}

export type VidFault = 'vid-missing' | 'vid-malformed' | 'vid-number' | 'vid-mismatch' | 'vid-hash'

/** Why a VID is not what it has to be; one code per cause. */
export class VidRefused extends Refusal {
  constructor(code: VidFault) {
    super(code)
    this.name = 'VidRefused'
  }
}

/** The VID of a certificate: its hash and the octets. */
export interface Vid {
  readonly hash: VidHashName
  readonly octets: Uint8Array
}

/** realName and VID of a certificate's subjectAltName. */
export interface IdentifyData {
  readonly realName: string
  readonly vid: Vid
}

/** The octets of virtualID. `idn`: 10 or 13 digits; `random`: DER of R's BIT STRING. Throws VidRefused, BadRandom. */
export function computeVid(idn: string, random: Uint8Array, hash: VidHashName = 'sha256'): Uint8Array {
  if (!/^(\d{10}|\d{13})$/.test(idn)) throw new VidRefused('vid-number')
  checkRandom(random)
  const content = seq(tlv(PRINTABLE_STRING, ascii(idn)), random)
  const inner = HASHES[hash](content)
  const vid = HASHES[hash](inner)
  wipe(content, inner)
  return vid
}

/** Throws BadRandom unless the bytes are one BIT STRING of 160 to 512 bits, 0 unused (security A14). */
export function checkRandom(random: Uint8Array): void {
  let size = 0
  try {
    size = whole(random).bits().length
  } catch {
    throw new BadRandom()
  }
  if (size < R_LEAST || size > R_MOST) throw new BadRandom()
}

/** Throws VidRefused unless `idn` and R make this VID; SHA-256 only. */
export function checkVid(vid: Vid, idn: string, random: Uint8Array): void {
  if (vid.hash !== 'sha256') throw new VidRefused('vid-hash')
  if (!same(computeVid(idn, random), vid.octets)) throw new VidRefused('vid-mismatch')
}

/** IdentifyData with exactly one VID (security A14). Throws VidRefused: vid-missing or vid-malformed. */
export function parseIdentifyData(value: Uint8Array): IdentifyData {
  try {
    const [realName, userInfo, ...more] = whole(value).atLeast(1)
    if (more.length > 0) throw new VidRefused('vid-malformed')
    const vids = (userInfo?.sequence() ?? []).map(readVid).filter((vid) => vid !== null)
    if (vids.length === 0) throw new VidRefused('vid-missing')
    if (vids.length > 1) throw new VidRefused('vid-malformed')
    return { realName: fromUtf8(realName.expect(UTF8_STRING).content), vid: vids[0]! }
  } catch (failure) {
    throw failure instanceof NotDer || failure instanceof TypeError ? new VidRefused('vid-malformed') : failure
  }
}

function readVid(item: Element): Vid | null {
  const [kind, value] = item.exactly(2)
  if (kind.oid() !== VID) return null
  const [algorithm, octets] = value.exactly(2)
  const [identifier, ...parameters] = algorithm.atLeast(1)
  const hash = HASH_OIDS[identifier.oid()]
  const plain = parameters.length === 0 || (parameters.length === 1 && isNull(parameters[0]!))
  if (hash === undefined || !plain) throw new NotDer('a hash', 'another')
  const content = octets.explicit(0).expect(OCTET_STRING).content
  if (content.length !== HASHES[hash].outputLen) throw new NotDer('a digest', content.length)
  return { hash, octets: content }
}

function isNull(parameter: Element): boolean {
  return parameter.tag === NULL && parameter.content.length === 0
}
