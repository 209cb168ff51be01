/**
 * CMS SignedData read and verified, in exactly the one form of security rules A1-A4. Twin of `parse` and `verify` of
 * cms.py: the same refusals over the same vectors.
 *
 * The vault only makes such messages; reading serves whoever checks one without the server, and the tests. Forms
 * without signed attributes are refused (A5).
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { join, order, same, toHex } from '../octets.ts'
import { subtle } from '../platform.ts'
import { Certificate, readInstant } from './certificate.ts'
import {
  CHALLENGE,
  checkBounds,
  CmsRefused,
  CONTENT_MOST,
  CONTENT_TYPE,
  CONTEXT,
  context,
  MESSAGE_DIGEST,
  SHA256,
  SHA256_RSA,
  SIGNED_DATA,
  SIGNER_VERSION,
  SIGNING_CERTIFICATE,
  SIGNING_TIME,
  signingCertificate,
  VERSION,
} from './cms.ts'
import {
  algorithm,
  bits,
  type Element,
  INTEGER,
  integer,
  NotDer,
  OCTET_STRING,
  octets,
  oid,
  seq,
  SEQUENCE,
  SET,
  whole,
} from './der.ts'
import type { RsaPublic } from './private_key.ts'

const AROUND_MOST = 128 * 1024
const DATA = oid('1.2.840.113549.1.7.1')
const RSA = algorithm('1.2.840.113549.1.1.1')
/** RFC 5754 §2: made without parameters, accepted with NULL. */
const DIGESTS = [SHA256, algorithm('2.16.840.1.101.3.4.2.1')]
const SIGNATURES = [RSA, SHA256_RSA]
const ATTRIBUTES = [CONTENT_TYPE, MESSAGE_DIGEST, SIGNING_TIME, SIGNING_CERTIFICATE, CONTEXT].map(toHex)

/** A message of the right form; nothing in it is believed yet. */
export interface UnverifiedSignedData {
  /** The encoded type: a challenge's, or id-data of a signed file. */
  readonly contentType: Uint8Array
  readonly content: Uint8Array
  readonly certificate: Certificate
  /** The received slice with its `A0`. */
  readonly signedAttributes: Uint8Array
  /** The one encoded value of an encoded type, by the type's hex. */
  readonly attributes: ReadonlyMap<string, Uint8Array>
  readonly signature: Uint8Array
}

/** The certificate's key signed the expected content for the expected purpose; the certificate itself is unproven. */
export interface VerifiedSignature {
  readonly certificate: Certificate
  /** What the signer's device says; it proves nothing. */
  readonly signingTime: Date
}

/** The form of A2-A4 from DER, to the last byte. Throws CmsRefused, and CertificateMalformed for its certificate. */
export function parseSigned(data: Uint8Array): UnverifiedSignedData {
  if (data.length > CONTENT_MOST + AROUND_MOST) throw new CmsRefused('cms-too-large')
  try {
    return readSignedData(signedDataOf(data))
  } catch (failure) {
    throw failure instanceof NotDer ? new CmsRefused('cms-not-der') : failure
  }
}

/** The SignedData in the ContentInfo that is all of `data` (RFC 5652 §3). */
function signedDataOf(data: Uint8Array): Element {
  const info = whole(data).expect(SEQUENCE)
  if (!same(info.content.subarray(0, SIGNED_DATA.length), SIGNED_DATA)) throw new CmsRefused('cms-not-signed-data')
  return info.exactly(2)[1].explicit(0).expect(SEQUENCE)
}

function readSignedData(signed: Element): UnverifiedSignedData {
  const [version, digests, encapsulated, held, signers] = formOf(signed)
  if (!DIGESTS.some((digest) => same(digests.content, digest))) throw new CmsRefused('cms-digest-algorithm')
  const { contentType, content } = readContent(encapsulated)
  const expected = same(contentType, CHALLENGE) ? VERSION : integer(1)
  if (!same(version.raw, expected)) throw new CmsRefused('cms-version')
  const [certificate, ...others] = held.children()
  if (certificate === undefined || others.length > 0) throw new CmsRefused('cms-several-certificates')
  const parsed = new Certificate(certificate.expect(SEQUENCE).raw)
  const [signer, ...more] = signers.children()
  if (more.length > 0) throw new CmsRefused('cms-several-signers')
  if (signer === undefined) throw new NotDer('a signer', 'none')
  return { contentType, content, certificate: parsed, ...readSigner(signer.expect(SEQUENCE), parsed) }
}

type Five = readonly [Element, Element, Element, Element, Element]

/** Version, digests, content, certificates, signers: SignedData of our form, or what it has instead. */
function formOf(signed: Element): Five {
  const parts = signed.children()
  const tags = parts.map((part) => part.tag)
  if (matches(tags, [INTEGER, SET, SEQUENCE, 0xa0, SET])) return parts as unknown as Five
  if (!matches(tags.slice(0, 3), [INTEGER, SET, SEQUENCE])) throw new CmsRefused('cms-not-signed-data')
  if (tags.includes(0xa1)) throw new CmsRefused('cms-crls')
  if (!tags.includes(0xa0)) throw new CmsRefused('cms-several-certificates')
  throw new CmsRefused('cms-not-der')
}

function matches(tags: readonly number[], wanted: readonly number[]): boolean {
  return tags.length === wanted.length && tags.every((tag, at) => tag === wanted[at])
}

function readContent(encapsulated: Element): Pick<UnverifiedSignedData, 'contentType' | 'content'> {
  const [type, content, ...more] = encapsulated.atLeast(1)
  if (![CHALLENGE, DATA].some((known) => same(type.raw, known))) throw new CmsRefused('cms-content-type')
  if (content === undefined) throw new CmsRefused('cms-no-content')
  if (more.length > 0) throw new CmsRefused('cms-not-der')
  return { contentType: type.raw, content: content.explicit(0).expect(OCTET_STRING).content }
}

type Six = readonly [Element, Element, Element, Element, Element, Element]

/** SignerInfo (RFC 5652 §5.3); sid is issuer and serial, byte for byte those of the certificate beside it (A4). */
function readSigner(
  signer: Element,
  certificate: Certificate,
): Pick<UnverifiedSignedData, 'signedAttributes' | 'attributes' | 'signature'> {
  const [version, sid, digest, attributes, signatureAlgorithm, signature] = signerForm(signer)
  if (!same(version.raw, SIGNER_VERSION)) throw new CmsRefused('cms-version')
  const named = join(certificate.issuer.raw, integer(certificate.serial))
  if (!same(sid.content, named)) throw new CmsRefused('cms-signer-mismatch')
  if (!DIGESTS.some((known) => same(digest.raw, known))) throw new CmsRefused('cms-digest-algorithm')
  const known = SIGNATURES.some((one) => same(signatureAlgorithm.raw, one))
  if (!known) throw new CmsRefused('cms-signature-algorithm')
  return {
    signedAttributes: attributes.raw,
    attributes: readAttributes(attributes),
    signature: signature.content,
  }
}

function signerForm(signer: Element): Six {
  const parts = signer.children()
  const tags = parts.map((part) => part.tag)
  if (matches(tags, [INTEGER, SEQUENCE, SEQUENCE, 0xa0, SEQUENCE, OCTET_STRING])) return parts as unknown as Six
  if (!matches(tags.slice(0, 3), [INTEGER, SEQUENCE, SEQUENCE])) throw new CmsRefused('cms-signer-mismatch')
  if (!tags.includes(0xa0)) throw new CmsRefused('cms-no-signed-attributes')
  if (tags.includes(0xa1)) throw new CmsRefused('cms-unsigned-attributes')
  throw new CmsRefused('cms-not-der')
}

/** Exactly the five types of A2, one value each, in DER order (X.690 §11.6). */
function readAttributes(attributes: Element): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>()
  let previous: Uint8Array = new Uint8Array(0)
  for (const attribute of attributes.children()) {
    if (order(attribute.expect(SEQUENCE).raw, previous) < 0) throw new CmsRefused('cms-attributes-order')
    previous = attribute.raw
    const [type, values, ...more] = attribute.atLeast(2)
    const key = toHex(type.raw)
    const [value, ...others] = values.sequence(SET)
    if (value === undefined) throw new NotDer('a value', 'none')
    const wrong = more.length > 0 || others.length > 0 || found.has(key)
    if (wrong || !ATTRIBUTES.includes(key)) throw new CmsRefused('cms-attributes')
    found.set(key, value.raw)
  }
  if (found.size !== ATTRIBUTES.length) throw new CmsRefused('cms-attributes')
  return found
}

/** The numbered checks of a signed challenge. `content`: what the checker itself expects (A1). Throws CmsRefused. */
export async function verifySigned(
  signed: UnverifiedSignedData,
  content: Uint8Array,
  purpose: string,
): Promise<VerifiedSignature> {
  const { certificate } = signed
  const attribute = (type: Uint8Array): Uint8Array => signed.attributes.get(toHex(type))!
  // 1. The content type is a challenge's, outside and inside the signature.
  const typed = same(signed.contentType, CHALLENGE) && same(attribute(CONTENT_TYPE), CHALLENGE)
  if (!typed) throw new CmsRefused('cms-content-type')
  // 2. The content is, byte for byte, the expected one.
  if (!same(signed.content, content)) throw new CmsRefused('cms-content')
  // 3. The digest under the signature is the digest of that content.
  if (!same(attribute(MESSAGE_DIGEST), octets(sha256(content)))) throw new CmsRefused('cms-digest')
  // 4. The context names this purpose and nothing else.
  if (!same(attribute(CONTEXT), context(purpose))) throw new CmsRefused('cms-context')
  // 5. The signature names the very certificate that came with it.
  const own = same(attribute(SIGNING_CERTIFICATE), signingCertificate(certificate))
  if (!own) throw new CmsRefused('cms-signing-certificate')
  // 6. The signing time is an instant.
  const signingTime = readTime(attribute(SIGNING_TIME))
  // 7. The key's bounds, before anything is computed with it (A4).
  checkBounds(certificate.publicKey)
  // 8. The signature, over the received attribute bytes under the tag of a SET (A3; RFC 5652 §5.4).
  const covered = join(Uint8Array.of(SET), signed.signedAttributes.subarray(1))
  if (!(await isSignedBy(certificate.publicKey, signed.signature, covered))) throw new CmsRefused('signature-invalid')
  return { certificate, signingTime }
}

function readTime(value: Uint8Array): Date {
  try {
    return readInstant(whole(value))
  } catch {
    throw new CmsRefused('cms-signing-time')
  }
}

/** RSA PKCS#1 v1.5 with SHA-256 by WebCrypto; a key that it will not load has signed nothing. */
async function isSignedBy({ n, e }: RsaPublic, signature: Uint8Array, message: Uint8Array): Promise<boolean> {
  const spki = seq(RSA, bits(seq(integer(n), integer(e))))
  const kind = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  try {
    const key = await subtle().importKey('spki', spki, kind, true, ['verify'])
    return await subtle().verify(kind.name, key, signature, message)
  } catch {
    return false
  }
}
