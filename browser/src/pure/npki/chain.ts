/**
 * The checks of a certificate that was just issued, in the browser (security B10): root → CA → person and nothing
 * longer, at a given instant, for the key and the R that lie in this vault. Twin of the server's chain.py in little.
 *
 * Anchors come with the page; a certificate inside a message is never one. Whoever issues is asked nothing here: status
 * is the server's to look up.
 */

import { sha1 } from '@noble/hashes/legacy.js'
import { Refusal } from '../failure.ts'
import { same, toHex } from '../octets.ts'
import { Certificate } from './certificate.ts'
import { BOOLEAN, type Element, integer, oid, whole } from './der.ts'
import { spkiOf } from './new_key.ts'
import type { PrivateKey } from './private_key.ts'
import { isRsaWithinBounds, isSignedBy, signatureHash } from './signature.ts'
import { sameName } from './subject.ts'
import { checkVid, parseIdentifyData } from './vid.ts'

const type = (dotted: string): string => toHex(oid(dotted))
const AUTHORITY_KEY_ID = type('2.5.29.35')
const BASIC_CONSTRAINTS = type('2.5.29.19')
const EXTENDED_KEY_USAGE = type('2.5.29.37')
const CMC_CA = '1.3.6.1.5.5.7.3.27'
/** Whose meaning is acted on; any other one that is marked critical refuses the certificate (RFC 5280 §4.2). */
const UNDERSTOOD = [
  BASIC_CONSTRAINTS,
  EXTENDED_KEY_USAGE,
  // Key usage, subjectAltName, policies, CRL distribution points, policyConstraints: a policy is demanded of everybody.
  ...['2.5.29.15', '2.5.29.17', '2.5.29.32', '2.5.29.31', '2.5.29.36'].map(type),
]

/** Of the authority's clock against the center's: what CMP allows its messages, too (security D9). */
const SKEW_MS = 5 * 60 * 1000

/** What is wrong with a certificate or with the path to it; the end of the code `issued-…`. */
export type Fault =
  | 'malformed'
  | 'extension'
  | 'key'
  | 'subject-key'
  | 'issuer'
  | 'issuer-key'
  | 'usage'
  | 'policy'
  | 'weak-signature'
  | 'authority'
  | 'authority-signature'
  | 'signature'
  | 'not-yet-valid'
  | 'expired'
  | 'lasts-longer'
  | 'vid'

/** What came is not the certificate that was asked for: codes `issued-` and the fault. */
export class IssuedRefused extends Refusal {
  readonly fault: Fault

  constructor(fault: Fault) {
    super(`issued-${fault}`)
    this.name = 'IssuedRefused'
    this.fault = fault
  }
}

/** The authority's encryption certificate cannot be used: code `encryption-certificate`; `fault` says why. */
export class EncryptionRefused extends Refusal {
  constructor(fault: string) {
    super('encryption-certificate', { fault })
    this.name = 'EncryptionRefused'
  }
}

/** What a certificate has to be. `anchors`: roots and CAs in any order; `at`: the center's instant. */
export interface Expected {
  readonly anchors: readonly Certificate[]
  readonly at: Date
  /** Dotted; the certificate has exactly one of them. */
  readonly policies: readonly string[]
  /** Public half, and R. */
  readonly key: PrivateKey
  /** The person's number, 10 or 13 digits. */
  readonly idn: string
  readonly notAfterAtMost?: Date
}

/** The certificate in these bytes, if it passes every check; throws IssuedRefused, one code for each of them. */
export async function checkIssued(der: Uint8Array, expected: Expected): Promise<Certificate> {
  // 1. It is a certificate …
  const certificate = parsed(der)
  // 2. … without an extension that stands twice, or is critical and unknown (security A8).
  check(hasPlainExtensions(certificate), 'extension')
  // 3. It is for this vault's key …
  check(same(certificate.spki, spkiOf(expected.key)), 'key')
  // 4. … and names it by its identifier (RFC 5280 §4.2.1.2, method 1).
  check(same(certificate.subjectKeyId ?? new Uint8Array(0), keyIdentifier(certificate.spki)), 'subject-key')
  // 5. It is a person's: no authority, may sign, and made for no special purpose.
  check(isPersonal(certificate), 'usage')
  // 6. It is of the kind that was asked for.
  check(expected.policies.includes(certificate.policyOid ?? ''), 'policy')
  // 7. One of the given authorities has issued it.
  await provePath(certificate, expected.anchors, expected.at)
  // 8. It does not last longer than was said.
  check(certificate.notAfter <= (expected.notAfterAtMost ?? certificate.notAfter), 'lasts-longer')
  // 9. Its VID is that of the person's number and this R (security A14).
  check(hasVid(certificate, expected), 'vid')
  return certificate
}

/**
 * The authority's encryption certificate, if R may be encrypted for it now. Throws EncryptionRefused.
 *
 * It is for keyEncipherment and nothing else (security D6), of an RSA key, and issued by one of the authorities.
 */
export async function checkEncryption(
  der: Uint8Array,
  anchors: readonly Certificate[],
  at: Date,
): Promise<Certificate> {
  try {
    const certificate = parsed(der)
    check(hasPlainExtensions(certificate), 'extension')
    check(certificate.keyUsage?.size === 1 && certificate.keyUsage.has('keyEncipherment'), 'usage')
    check(isRsaWithinBounds(certificate.spki), 'key')
    await provePath(certificate, anchors, at)
    return certificate
  } catch (failure) {
    throw failure instanceof IssuedRefused ? new EncryptionRefused(failure.fault) : failure
  }
}

/**
 * Whether a certificate signs the authority's own messages now: issued by one of the authorities, for signing and for
 * nothing else. Everybody's certificates are from that CA, too: a person's has a VID, an RA's or a server's a purpose,
 * and where the authority's own has one, it is id-kp-cmcCA alone (RFC 9483 §3.3).
 */
export async function isSpeaker(
  certificate: Certificate,
  anchors: readonly Certificate[],
  at: Date,
): Promise<boolean> {
  try {
    check(hasPlainExtensions(certificate), 'extension')
    const { keyUsage, identifyData } = certificate
    check(keyUsage?.size === 1 && keyUsage.has('digitalSignature'), 'usage')
    check(identifyData === null && speaksOnly(certificate), 'usage')
    await provePath(certificate, anchors, at)
    return true
  } catch (failure) {
    if (failure instanceof Refusal) return false
    throw failure
  }
}

/** The given certificates above one, the nearest first, found by name and key; it proves nothing and is for showing. */
export function namedAbove(certificate: Certificate, anchors: readonly Certificate[]): readonly Certificate[] {
  const authorities = anchors.filter((one) => !isSelfIssued(one) && sameName(one.subject, certificate.issuer))
  const authority = authorities.find((one) => tellsOf(certificate, one)) ?? authorities[0]
  if (authority === undefined) return []
  const root = anchors.find((one) => isSelfIssued(one) && sameName(one.subject, authority.issuer))
  return root === undefined ? [authority] : [authority, root]
}

function tellsOf(certificate: Certificate, issuer: Certificate): boolean {
  try {
    return namesKeyOf(certificate, issuer)
  } catch (failure) {
    if (failure instanceof Refusal) return false
    throw failure
  }
}

/** Why a path does not hold at an instant, or null. The certificate's own period is asked for apart. */
export async function pathFault(
  certificate: Certificate,
  anchors: readonly Certificate[],
  at: Date,
): Promise<Fault | null> {
  try {
    await provePath(certificate, anchors, at)
    return null
  } catch (failure) {
    if (!(failure instanceof IssuedRefused)) throw failure
    // These come last: everything before them held.
    return failure.fault === 'expired' || failure.fault === 'not-yet-valid' ? null : failure.fault
  }
}

function speaksOnly(certificate: Certificate): boolean {
  const purposes = certificate.read(EXTENDED_KEY_USAGE, (value) => whole(value).sequence().map((each) => each.oid()))
  return purposes === null || (purposes.length === 1 && purposes[0] === CMC_CA)
}

/** Issuer, signatures and validity of a path (security A7, A8). Throws IssuedRefused. */
async function provePath(certificate: Certificate, anchors: readonly Certificate[], at: Date): Promise<void> {
  // 1. The issuer is a given CA, by name …
  const named = anchors.filter((one) => !isSelfIssued(one) && sameName(one.subject, certificate.issuer))
  check(named.length > 0, 'issuer')
  // 2. … and by the full authority key identifier (npki.md §2.1).
  const authority = named.find((one) => read(() => namesKeyOf(certificate, one)))
  if (authority === undefined) throw new IssuedRefused('issuer-key')
  // 3. SHA-256 or better.
  check(signatureHash(certificate.signatureAlgorithm) !== null, 'weak-signature')
  // 4. The CA may issue, and its own time is not over.
  check(mayIssue(authority) && isValid(authority, at), 'authority')
  // 5. A given root has signed it; without any root, the CA is the anchor itself.
  check(await isUnderRoot(authority, anchors, at), 'authority-signature')
  // 6. The CA has signed the certificate.
  check(await isIssuedBy(certificate, authority), 'signature')
  // 7. The certificate is valid; last, so that a forgery is never called merely old.
  check(certificate.notBefore.getTime() <= at.getTime() + SKEW_MS, 'not-yet-valid')
  check(at <= certificate.notAfter, 'expired')
}

function check(holds: boolean, fault: Fault): void {
  if (!holds) throw new IssuedRefused(fault)
}

/** What reading gives; a part that is not what it says makes the certificate malformed. */
function read<T>(reading: () => T): T {
  try {
    return reading()
  } catch (failure) {
    throw failure instanceof Refusal ? new IssuedRefused('malformed') : failure
  }
}

/** Every part that the checks look at is read here once, so that a broken one is malformed and nothing else. */
function parsed(der: Uint8Array): Certificate {
  return read(() => {
    const found = new Certificate(der)
    void [found.keyUsage, found.policies, found.subjectKeyId, found.identifyData]
    return found
  })
}

function hasPlainExtensions({ repeated, extensions }: Certificate): boolean {
  const unknown = [...extensions].some(([key, { critical }]) => critical && !UNDERSTOOD.includes(key))
  return repeated.length === 0 && !unknown
}

function isPersonal(certificate: Certificate): boolean {
  const usage = certificate.keyUsage
  const signs = usage !== null && usage.has('digitalSignature') && !usage.has('keyCertSign') && !usage.has('cRLSign')
  return signs && !read(() => isAuthority(certificate)) && !certificate.extensions.has(EXTENDED_KEY_USAGE)
}

function isAuthority(certificate: Certificate): boolean {
  return certificate.read(BASIC_CONSTRAINTS, (value) => {
    const [mark] = whole(value).sequence()
    return mark?.tag === BOOLEAN && mark.content[0] === 0xff
  }) === true
}

/** KISA's roots have no key usage at all (npki.md §2.4); whoever has one must be allowed to sign certificates. */
function mayIssue(authority: Certificate): boolean {
  const usage = read(() => authority.keyUsage)
  return read(() => isAuthority(authority)) && hasPlainExtensions(authority) && (usage?.has('keyCertSign') ?? true)
}

/** Whether it names itself as its issuer: a root, where its signature is its own, too. */
export function isSelfIssued({ issuer, subject }: Certificate): boolean {
  return sameName(issuer, subject)
}

function isValid({ notBefore, notAfter }: Certificate, at: Date): boolean {
  return notBefore <= at && at <= notAfter
}

function isIssuedBy({ tbs, signature, signatureAlgorithm }: Certificate, issuer: Certificate): Promise<boolean> {
  return isSignedBy(issuer.spki, signatureAlgorithm, signature, tbs)
}

async function isUnderRoot(authority: Certificate, anchors: readonly Certificate[], at: Date): Promise<boolean> {
  const roots = anchors.filter(isSelfIssued)
  const named = roots.filter((one) => sameName(one.subject, authority.issuer) && mayIssue(one) && isValid(one, at))
  for (const root of named) {
    if (await isIssuedBy(authority, root)) return true
  }
  return roots.length === 0
}

/** Key id, and where they stand the issuer's own issuer and serial. */
function namesKeyOf(certificate: Certificate, issuer: Certificate): boolean {
  const parts = certificate.read(AUTHORITY_KEY_ID, (value) => whole(value).sequence())
  const part = (tag: number): Element | undefined => parts?.find((one) => one.tag === tag)
  const [key, names, serial] = [part(0x80), part(0xa1), part(0x82)]
  const expected = issuer.subjectKeyId
  if (key === undefined || expected === null || !same(key.content, expected)) return false
  if (serial !== undefined && !same(serial.content, whole(integer(issuer.serial)).content)) return false
  return names === undefined || same(names.exactly(1, 0xa1)[0].explicit(4).raw, issuer.issuer.raw)
}

function keyIdentifier(spki: Uint8Array): Uint8Array {
  return sha1(whole(spki).exactly(2)[1].bits())
}

function hasVid(certificate: Certificate, { idn, key }: Expected): boolean {
  const { identifyData } = certificate
  const { random } = key
  if (identifyData === null || random === null) return false
  try {
    checkVid(parseIdentifyData(identifyData).vid, idn, random)
    return true
  } catch (failure) {
    if (failure instanceof Refusal) return false
    throw failure
  }
}
