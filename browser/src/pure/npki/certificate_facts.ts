/**
 * What else a certificate says of itself, for people who look at it: identifiers, addresses, algorithms (RFC 5280 §4.2).
 *
 * For showing only. A part that cannot be read is left out; nothing is decided by what is found here.
 */

import { Refusal } from '../failure.ts'
import { toHex } from '../octets.ts'
import type { Certificate } from './certificate.ts'
import { type Element, oid, whole } from './der.ts'
import { parseIdentifyData, type VidHashName } from './vid.ts'

const type = (dotted: string): string => toHex(oid(dotted))
const AUTHORITY_KEY_ID = type('2.5.29.35')
const CRL_POINTS = type('2.5.29.31')
const AUTHORITY_ACCESS = type('1.3.6.1.5.5.7.1.1')
const OCSP = '1.3.6.1.5.5.7.48.1'
const ADDRESS = 0x86
const ADDRESS_MOST = 400

/** Names of RFC 8017 and RFC 5758; the certificates of old have the first two. */
const SIGNATURES: Readonly<Record<string, string>> = {
  '1.2.840.113549.1.1.5': 'sha1WithRSAEncryption',
  '1.2.840.113549.1.1.11': 'sha256WithRSAEncryption',
  '1.2.840.113549.1.1.12': 'sha384WithRSAEncryption',
  '1.2.840.113549.1.1.13': 'sha512WithRSAEncryption',
  '1.2.840.10045.4.3.2': 'ecdsa-with-SHA256',
  '1.2.840.10045.4.3.3': 'ecdsa-with-SHA384',
}

/** A name and what it stands for. `name` null where it is not known here. */
export interface Named {
  readonly oid: string
  readonly name: string | null
}

/** The signature's algorithm. */
export function signatureAlgorithmOf(certificate: Certificate): Named | null {
  return calm(() => {
    const dotted = whole(certificate.signatureAlgorithm).atLeast(1)[0].oid()
    return { oid: dotted, name: SIGNATURES[dotted] ?? null }
  })
}

/** Key of whoever issued it: lower hex, or null. */
export function authorityKeyIdOf(certificate: Certificate): string | null {
  const found = calm(() => certificate.read(AUTHORITY_KEY_ID, (value) => partOf(whole(value), 0x80)))
  return found === null || found === undefined ? null : toHex(found.content)
}

/** Where the list of what was revoked lies, in the order of the certificate. */
export function crlAddressesOf(certificate: Certificate): readonly string[] {
  return (
    calm(() =>
      certificate.read(CRL_POINTS, (value) =>
        whole(value)
          .sequence()
          .flatMap((point) => {
            const full = partOf(partOf(point, 0xa0), 0xa0)
            return (full?.children() ?? []).filter((name) => name.tag === ADDRESS).map(addressIn)
          }),
      ),
    ) ?? []
  )
}

/** Where its status is answered. */
export function ocspAddressesOf(certificate: Certificate): readonly string[] {
  return (
    calm(() =>
      certificate.read(AUTHORITY_ACCESS, (value) =>
        whole(value)
          .sequence()
          .map((access) => access.exactly(2))
          .filter(([method, location]) => method.oid() === OCSP && location.tag === ADDRESS)
          .map(([, location]) => addressIn(location)),
      ),
    ) ?? []
  )
}

/** The hash of its VID, or null where it has none that can be read. */
export function vidHashOf(certificate: Certificate): VidHashName | null {
  return calm(() => {
    const { identifyData } = certificate
    return identifyData === null ? null : parseIdentifyData(identifyData).vid.hash
  })
}

/** RSA and its bits, or null for another kind of key. */
export function rsaBitsOf(certificate: Certificate): number | null {
  return calm(() => certificate.publicKey.n.toString(2).length)
}

function partOf(from: Element | undefined, tag: number): Element | undefined {
  return from?.children().find((each) => each.tag === tag)
}

function addressIn(name: Element): string {
  const text = String.fromCharCode(...name.content.subarray(0, ADDRESS_MOST))
  return text.replace(/[^\x21-\x7e]/g, '\ufffd')
}

function calm<T>(read: () => T): T | null {
  try {
    return read()
  } catch (failure) {
    if (failure instanceof Refusal) return null
    throw failure
  }
}
