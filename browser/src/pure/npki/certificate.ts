/**
 * A joint certificate (RFC 5280 §4.1), read from its own bytes for the certificate window and for signing.
 *
 * Reading proves the form and nothing else; who may be trusted is decided on the server. Twin of certificate.py, which
 * also reads what only path validation needs.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { Refusal } from '../failure.ts'
import { copy, same, toHex } from '../octets.ts'
import {
  algorithm,
  BIT_STRING,
  BOOLEAN,
  element,
  type Element,
  GENERALIZED_TIME,
  NotDer,
  OCTET_STRING,
  OID,
  oid,
  SEQUENCE,
  UTC_TIME,
  whole,
} from './der.ts'
import type { RsaPublic } from './private_key.ts'
import { type Name, NameMalformed, parseName } from './subject.ts'

const CERTIFICATE_MOST = 64 * 1024
const EXTENSIONS_MOST = 64
const RSA_KEY = algorithm('1.2.840.113549.1.1.1')
const IDENTIFY_DATA = '1.2.410.200004.10.1.1'

const KEY_USAGE = toHex(oid('2.5.29.15'))
const SUBJECT_ALT_NAME = toHex(oid('2.5.29.17'))
const SUBJECT_KEY_ID = toHex(oid('2.5.29.14'))
const CERTIFICATE_POLICIES = toHex(oid('2.5.29.32'))

const USAGES = [
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
] as const
export type Usage = (typeof USAGES)[number]

/** The bytes are no certificate of RFC 5280 §4.1 in DER, or a part is not what it says: code `cert-malformed`. */
export class CertificateMalformed extends Refusal {
  constructor(expected: string) {
    super('cert-malformed', { expected })
    this.name = 'CertificateMalformed'
  }
}

/** The certificate is for a key that is not RSA (npki.md §2.1): code `cert-key-kind`. */
export class CertificateKeyKind extends Refusal {
  constructor() {
    super('cert-key-kind')
    this.name = 'CertificateKeyKind'
  }
}

/** More than one identifyData (security A14): code `cert-several-identify-data`. */
export class SeveralIdentifyData extends Refusal {
  constructor(found: number) {
    super('cert-several-identify-data', { found })
    this.name = 'SeveralIdentifyData'
  }
}

export interface Extension {
  readonly critical: boolean
  /** The DER of the extension itself. */
  readonly value: Uint8Array
}

/** A parsed certificate. Getters read their extension when asked, and throw CertificateMalformed where it is none. */
export class Certificate {
  /** A copy of its own: later changes of the caller's array do not reach it. */
  readonly der: Uint8Array
  /** SHA-256 of `der`, 32 bytes. */
  readonly fingerprint: Uint8Array
  readonly serial: bigint
  readonly issuer: Name
  readonly subject: Name
  readonly notBefore: Date
  readonly notAfter: Date
  /** What the issuer signed, as received; like the next three a view of `der`. */
  readonly tbs: Uint8Array
  /** DER of the SubjectPublicKeyInfo. */
  readonly spki: Uint8Array
  /** DER of the AlgorithmIdentifier. */
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  /** Hex of types that stand more than once. */
  readonly repeated: readonly string[]
  readonly #publicKey: RsaPublic | null
  readonly #extensions: ReadonlyMap<string, Extension>

  /** Reads DER to the last byte; at most 64 KiB. Throws CertificateMalformed. */
  constructor(data: Uint8Array) {
    if (data.length > CERTIFICATE_MOST) throw new CertificateMalformed('at most 64 KiB')
    this.der = copy(data)
    this.fingerprint = sha256(this.der)
    const fields = mapped(() => readFields(this.der))
    this.serial = fields.serial
    this.issuer = fields.issuer
    this.subject = fields.subject
    this.notBefore = fields.notBefore
    this.notAfter = fields.notAfter
    this.tbs = fields.tbs
    this.spki = fields.spki
    this.signatureAlgorithm = fields.signatureAlgorithm
    this.signature = fields.signature
    this.repeated = fields.repeated
    this.#publicKey = fields.publicKey
    this.#extensions = fields.extensions
  }

  /** SHA-256 of the DER, 64 lower hex. */
  get fingerprintHex(): string {
    return toHex(this.fingerprint)
  }

  /** Modulus and exponent. Throws CertificateKeyKind for another kind of key. */
  get publicKey(): RsaPublic {
    if (this.#publicKey === null) throw new CertificateKeyKind()
    return this.#publicKey
  }

  /** Names of RFC 5280 §4.2.1.3, or null where the extension is absent. */
  get keyUsage(): ReadonlySet<Usage> | null {
    return this.read(KEY_USAGE, readKeyUsage)
  }

  /** Dotted policies in the order of the certificate; empty where the extension is absent. */
  get policies(): readonly string[] {
    return this.read(CERTIFICATE_POLICIES, readPolicies) ?? []
  }

  /** The one policy; null where there is none or more than one. */
  get policyOid(): string | null {
    return this.policies.length === 1 ? this.policies[0]! : null
  }

  /** The subject key identifier, or null. */
  get subjectKeyId(): Uint8Array | null {
    return this.read(SUBJECT_KEY_ID, (value) => whole(value).expect(OCTET_STRING).content)
  }

  /** DER of the one IdentifyData (npki.md §3), or null. Throws SeveralIdentifyData. */
  get identifyData(): Uint8Array | null {
    const found = this.read(SUBJECT_ALT_NAME, readIdentifyData) ?? []
    if (found.length > 1) throw new SeveralIdentifyData(found.length)
    return found[0] ?? null
  }

  /** The extensions by the hex of their encoded types. */
  get extensions(): ReadonlyMap<string, Extension> {
    return this.#extensions
  }

  /** What a reader makes of an extension, by the hex of its encoded type; null where it is absent. */
  read<T>(type: string, read: (value: Uint8Array) => T): T | null {
    const found = this.#extensions.get(type)
    return found === undefined ? null : mapped(() => read(found.value))
  }
}

function mapped<T>(read: () => T): T {
  try {
    return read()
  } catch (failure) {
    throw failure instanceof NotDer || failure instanceof NameMalformed ? new CertificateMalformed('DER') : failure
  }
}

interface Fields {
  readonly serial: bigint
  readonly issuer: Name
  readonly subject: Name
  readonly notBefore: Date
  readonly notAfter: Date
  readonly tbs: Uint8Array
  readonly spki: Uint8Array
  readonly signatureAlgorithm: Uint8Array
  readonly signature: Uint8Array
  readonly publicKey: RsaPublic | null
  readonly extensions: ReadonlyMap<string, Extension>
  readonly repeated: readonly string[]
}

function readFields(data: Uint8Array): Fields {
  const [tbs, outer, signature] = whole(data).exactly(3)
  outer.expect(SEQUENCE)
  const [version, serial, inner, issuer, validity, subject, spki, ...rest] = tbs.sequence()
  // RFC 5280 §4.1.1.2: both places name the same algorithm.
  if (inner === undefined || !same(inner.raw, outer.raw)) throw new CertificateMalformed('one signature algorithm')
  if (version === undefined || toHex(version.raw) !== 'a003020102') throw new CertificateMalformed('version 3')
  if (serial === undefined || issuer === undefined || validity === undefined) throw new CertificateMalformed('fields')
  if (subject === undefined || spki === undefined) throw new CertificateMalformed('fields')
  const [notBefore, notAfter] = validity.exactly(2)
  return {
    serial: readSerial(serial),
    issuer: parseName(issuer.expect(SEQUENCE).raw),
    subject: parseName(subject.expect(SEQUENCE).raw),
    notBefore: readInstant(notBefore),
    notAfter: readInstant(notAfter),
    ...readExtensions(rest),
    tbs: tbs.raw,
    spki: spki.raw,
    signatureAlgorithm: outer.raw,
    signature: signature.bits(),
    publicKey: readRsaPublic(spki),
  }
}

function readSerial(serial: Element): bigint {
  const value = serial.integer()
  if (value <= 0n || value >= 1n << 160n) throw new CertificateMalformed('a positive serial of at most 20 octets')
  return value
}

/** UTCTime or GeneralizedTime in the form of RFC 5280 §4.1.2.5: seconds and `Z`. */
export function readInstant(time: Element): Date {
  const text = String.fromCharCode(...time.content)
  const [, digits] = /^(\d{12}|\d{14})Z$/.exec(text) ?? []
  const long = digits?.length === 14
  const tag = long ? GENERALIZED_TIME : UTC_TIME
  if (digits === undefined || time.tag !== tag) throw new CertificateMalformed('an instant')
  const full = long ? digits : (digits >= '50' ? '19' : '20') + digits
  const iso = full.replace(/^(....)(..)(..)(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6.000Z')
  const instant = new Date(iso)
  // Date rolls a 30th of February over into March: only what reads back unchanged exists.
  if (Number.isNaN(instant.getTime()) || instant.toISOString() !== iso) throw new CertificateMalformed('an instant')
  return instant
}

/**
 * The [3] of the to-be-signed part, by the hex of their types. Unique identifiers do not occur in the profile and are
 * refused.
 */
function readExtensions(rest: readonly Element[]): Pick<Fields, 'extensions' | 'repeated'> {
  const found = new Map<string, Extension>()
  const repeated: string[] = []
  const [tagged, ...more] = rest
  if (tagged === undefined) return { extensions: found, repeated }
  if (tagged.tag !== 0xa3 || more.length > 0) throw new CertificateMalformed('extensions')
  const entries = tagged.explicit(3).sequence()
  if (entries.length === 0 || entries.length > EXTENSIONS_MOST) throw new CertificateMalformed('extensions')
  for (const entry of entries) {
    const [type, ...parts] = entry.atLeast(1)
    const key = toHex(type.expect(OID).raw)
    const extension = readExtension(parts)
    // The first one counts for reading; whoever validates a path refuses a duplicate (security A8).
    if (found.has(key)) repeated.push(key)
    else found.set(key, extension)
  }
  return { extensions: found, repeated }
}

function readExtension(parts: readonly Element[]): Extension {
  const value = parts.at(-1)
  const mark = parts.length === 2 ? parts[0]! : null
  // FALSE is the default and never written (X.690 §11.5).
  const critical = mark !== null && mark.expect(BOOLEAN).content[0] === 0xff && mark.content.length === 1
  if (value === undefined || parts.length > 2 || (mark !== null && !critical)) {
    throw new CertificateMalformed('an extension')
  }
  return { critical, value: value.expect(OCTET_STRING).content }
}

/** Numbers of a SubjectPublicKeyInfo; null for another kind of key. */
function readRsaPublic(spki: Element): RsaPublic | null {
  const [kind, key] = spki.exactly(2)
  if (!same(kind.expect(SEQUENCE).raw, RSA_KEY)) return null
  const [n, e] = whole(key.bits()).exactly(2)
  const numbers = { n: n.integer(), e: e.integer() }
  if (numbers.n <= 0n || numbers.e <= 0n) throw new CertificateMalformed('an RSA key')
  return numbers
}

/** DER of a named bit list: no trailing zero bit (X.690 §11.2.2). */
function readKeyUsage(value: Uint8Array): ReadonlySet<Usage> {
  const [unused = 8, ...bits] = whole(value).expect(BIT_STRING).content
  const last = bits.at(-1) ?? 0
  if (unused > 7 || bits.length < 1 || bits.length > 2 || ((last >> unused) & 1) === 0 || last & ((1 << unused) - 1)) {
    throw new CertificateMalformed('key usage')
  }
  const number = (bits[0]! << 8) | (bits[1] ?? 0)
  return new Set(USAGES.filter((_, place) => (number >> (15 - place)) & 1))
}

/** The identifiers; what qualifies a policy is text for people and not looked at. */
function readPolicies(value: Uint8Array): readonly string[] {
  const found = whole(value)
    .sequence()
    .map((policy) => element(value, policy.expect(SEQUENCE).body, policy.end).oid())
  if (found.length === 0 || new Set(found).size !== found.length) throw new CertificateMalformed('each policy once')
  return found
}

/** The values of every otherName of the identifyData type; each otherName has to be one. */
function readIdentifyData(value: Uint8Array): readonly Uint8Array[] {
  const names = whole(value).sequence()
  const others = names.filter((name) => name.tag === 0xa0).map(readOtherName)
  return others.filter(({ type }) => type === IDENTIFY_DATA).map((other) => other.value)
}

interface OtherName {
  readonly type: string
  readonly value: Uint8Array
}

function readOtherName(name: Element): OtherName {
  const [type, value] = name.exactly(2, 0xa0)
  return { type: type.oid(), value: value.explicit(0).expect(SEQUENCE).raw }
}
