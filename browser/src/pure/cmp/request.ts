/**
 * What is asked: the contents of ir, kur, certConf and pollReq (RFC 4211, RFC 9810 §5.3). One request, certReqId 0.
 *
 * The template names the key and nothing else: name, kind and validity come from the registration (security D4).
 */

import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js'
import { Refusal } from '../failure.ts'
import { subtle } from '../platform.ts'
import { Certificate } from '../npki/certificate.ts'
import { algorithm, BIT_STRING, bits, explicit, integer, nothing, octets, oid, seq, tlv, whole } from '../npki/der.ts'
import { ENCRYPTED_VID } from '../npki/encrypted_vid.ts'
import { spkiOf } from '../npki/new_key.ts'
import type { PrivateKey } from '../npki/private_key.ts'
import { signatureHash } from '../npki/signature.ts'
import { CmpRefused } from './refusal.ts'

export const CERT_REQ_ID = 0
/** DER AlgorithmIdentifier of sha256WithRSAEncryption. */
export const SHA256_RSA = algorithm('1.2.840.113549.1.1.11')
const OLD_CERT_ID = oid('1.3.6.1.5.5.7.5.1.5')
const HASHES = { 'SHA-256': sha256, 'SHA-384': sha384, 'SHA-512': sha512 } as const

/**
 * CertReqMessages of an ir or kur: the key, the proof that it is ours (RFC 4211 §4.1), and R for the authority alone.
 *
 * `updates`: which certificate a kur is to renew (RFC 4211 §6.5), or null.
 */
export async function writeRequest(
  key: PrivateKey,
  encryptedVid: Uint8Array,
  updates: Certificate | null = null,
): Promise<Uint8Array> {
  const template = seq(tlv(0xa6, whole(spkiOf(key)).content))
  const controls = updates === null ? nothing : seq(seq(OLD_CERT_ID, writeCertId(updates)))
  const request = seq(integer(CERT_REQ_ID), template, controls)
  const proof = tlv(0xa1, SHA256_RSA, bits(await signRsa(key, request)))
  return seq(seq(request, proof, seq(seq(ENCRYPTED_VID, encryptedVid))))
}

/** CertId: who issued it, and its number. */
function writeCertId({ issuer, serial }: Certificate): Uint8Array {
  return seq(explicit(4, issuer.raw), integer(serial))
}

/** A signature of RSA PKCS#1 v1.5 with SHA-256, as SHA256_RSA names it. */
export async function signRsa(key: PrivateKey, message: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await subtle().sign('RSASSA-PKCS1-v1_5', await key.signingKey(), message))
}

const REJECTION = 2
/** PKIFailureInfo incorrectData, bit 7. */
const INCORRECT_DATA = tlv(BIT_STRING, Uint8Array.of(0, 1))

/**
 * CertConfirmContent that accepts a DER certificate (RFC 9810 §5.3.18): its hash by the algorithm that signs it.
 *
 * Throws CertificateMalformed, and CmpRefused (cmp-answer-unexpected) for an algorithm whose hash is not used here.
 */
export function writeConfirmation(certificate: Uint8Array): Uint8Array {
  return seq(writeStatus(certificate))
}

/**
 * CertConfirmContent that gives a certificate back: the authority ends it, and the one before it stands.
 *
 * Of what cannot even be read nothing can be said: no CertStatus at all rejects everything (RFC 9810 §5.3.18).
 */
export function writeRejection(certificate: Uint8Array): Uint8Array {
  try {
    return seq(writeStatus(certificate, seq(integer(REJECTION), INCORRECT_DATA)))
  } catch (failure) {
    if (failure instanceof Refusal) return seq()
    throw failure
  }
}

function writeStatus(der: Uint8Array, ...status: readonly Uint8Array[]): Uint8Array {
  const certificate = new Certificate(der)
  const hash = signatureHash(certificate.signatureAlgorithm)
  if (hash === null) throw new CmpRefused('cmp-answer-unexpected')
  return seq(octets(HASHES[hash](certificate.der)), integer(CERT_REQ_ID), ...status)
}

/** PollReqContent. */
export function writePolling(): Uint8Array {
  return seq(seq(integer(CERT_REQ_ID)))
}
