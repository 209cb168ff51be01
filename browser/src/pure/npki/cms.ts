/**
 * CMS SignedData with signed attributes (RFC 5652), in exactly the one form of security rules A1-A5: made, not read.
 *
 * One signer, one certificate, SHA-256, RSA PKCS#1 v1.5, five signed attributes. The same inputs give the same bytes as
 * cms.py; cms_verify.ts reads. `FF FF` in the context is invalid in CP949 and UTF-8: no text signer produces it (A2).
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { Refusal } from '../failure.ts'
import { ascii, join } from '../octets.ts'
import { subtle } from '../platform.ts'
import type { Certificate } from './certificate.ts'
import {
  algorithm,
  explicit,
  GENERALIZED_TIME,
  integer,
  nothing,
  octets,
  oid,
  seq,
  SET,
  setOf,
  tlv,
  UTC_TIME,
} from './der.ts'
import type { PrivateKey, RsaPublic } from './private_key.ts'

/** eContentType of a challenge: ours alone, so that no other signer's output is one (A2). */
export const CHALLENGE = oid('2.25.147690576529670081407829877669301549600.1')
/** The ingam-context attribute: OCTET STRING of `FF FF` + purpose in ASCII. */
export const CONTEXT = oid('2.25.147690576529670081407829877669301549600.2')
export const SIGNED_DATA = oid('1.2.840.113549.1.7.2')
export const CONTENT_TYPE = oid('1.2.840.113549.1.9.3')
export const MESSAGE_DIGEST = oid('1.2.840.113549.1.9.4')
export const SIGNING_TIME = oid('1.2.840.113549.1.9.5')
export const SIGNING_CERTIFICATE = oid('1.2.840.113549.1.9.16.2.47')
/** RFC 5754 §2: without parameters; §3.2: with NULL. */
export const SHA256 = algorithm('2.16.840.1.101.3.4.2.1', nothing)
export const SHA256_RSA = algorithm('1.2.840.113549.1.1.11')
/** RFC 5652 §5.1: 3 for a content type other than id-data. */
export const VERSION = integer(3)
export const SIGNER_VERSION = integer(1)

export const CONTENT_MOST = 16 * 1024 * 1024
const PURPOSE = /^[a-z][a-z0-9-]{0,31}$/

/** Nothing was signed, or a message is not what it has to be; the codes are those of cms.py. */
export class CmsRefused extends Refusal {
  constructor(code: 'signature-invalid' | `cms-${string}`) {
    super(code)
    this.name = 'CmsRefused'
  }
}

/** `purpose`: 1-32 of `[a-z0-9-]`; `signingTime` is written in UTC to the second. */
export interface Signing {
  readonly purpose: string
  readonly signingTime: Date
}

/**
 * DER of a ContentInfo over `content` in the form of A2.
 *
 * Throws CmsRefused, DamagedKey, and RangeError for a purpose or an instant that cannot be.
 */
export async function sign(
  content: Uint8Array,
  certificate: Certificate,
  key: PrivateKey,
  { purpose, signingTime }: Signing,
): Promise<Uint8Array> {
  const { publicKey } = certificate
  checkBounds(publicKey)
  if (!key.matches(publicKey)) throw new CmsRefused('cms-key-mismatch')
  if (content.length > CONTENT_MOST) throw new CmsRefused('cms-too-large')
  const attributes = setOf([
    attribute(CONTENT_TYPE, CHALLENGE),
    attribute(MESSAGE_DIGEST, octets(sha256(content))),
    attribute(SIGNING_TIME, time(signingTime)),
    attribute(SIGNING_CERTIFICATE, signingCertificate(certificate)),
    attribute(CONTEXT, context(purpose)),
  ])
  const signature = await subtle().sign('RSASSA-PKCS1-v1_5', await key.signingKey(), attributes)
  const signer = seq(
    SIGNER_VERSION,
    seq(certificate.issuer.raw, integer(certificate.serial)),
    SHA256,
    // Signed as SET OF, sent as [0] IMPLICIT (RFC 5652 §5.4).
    join(Uint8Array.of(0xa0), attributes.subarray(1)),
    SHA256_RSA,
    octets(new Uint8Array(signature)),
  )
  const signed = seq(
    VERSION,
    tlv(SET, SHA256),
    seq(CHALLENGE, explicit(0, octets(content))),
    tlv(0xa0, certificate.der),
    tlv(SET, signer),
  )
  return seq(SIGNED_DATA, explicit(0, signed))
}

/** RSA of 2048-4096 bits with an odd modulus and an odd e in [65537, 2^32) (A4). */
export function checkBounds({ n, e }: RsaPublic): void {
  const sized = n >= 1n << 2047n && n < 1n << 4096n
  if (!sized || e < 65537n || e >= 1n << 32n || (n & e & 1n) === 0n) throw new CmsRefused('cms-key-bounds')
}

function attribute(type: Uint8Array, value: Uint8Array): Uint8Array {
  return seq(type, tlv(SET, value))
}

export function context(purpose: string): Uint8Array {
  if (!PURPOSE.test(purpose)) throw new RangeError('a purpose is 1-32 characters of a-z, 0-9 and -')
  return octets(join(Uint8Array.of(0xff, 0xff), ascii(purpose)))
}

/** RFC 5035 §3: ESSCertIDv2 with SHA-256, the default, left out; issuer and serial stand in the sid already. */
export function signingCertificate(certificate: Certificate): Uint8Array {
  return seq(seq(seq(octets(certificate.fingerprint))))
}

/** RFC 5652 §11.3: UTCTime through 2049, GeneralizedTime from 2050. */
function time(at: Date): Uint8Array {
  const year = at.getUTCFullYear()
  const digits = at.toISOString().replace(/\.\d{3}Z$/, 'Z').replace(/[-T:]/g, '')
  const short = year >= 1950 && year < 2050
  return short ? tlv(UTC_TIME, ascii(digits.slice(2))) : tlv(GENERALIZED_TIME, ascii(digits))
}
