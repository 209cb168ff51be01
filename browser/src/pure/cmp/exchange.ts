/**
 * A certificate asked for by reference number and authorization code, ir → ip → certConf → pkiConf (RFC 9483 §4.1.1),
 * or renewed by the one that ends, kur → kup → … (§4.1.3); with polling where the authority cannot sign at once.
 *
 * No I/O and no memory: a message is composed once and stored with the exchange before it is carried, and an answer is
 * received with the exchange that was stored. Bytes that were lost are carried again as they are (security D9).
 */

import { Refusal } from '../failure.ts'
import { ascii, fromHex, same, toHex, wipe } from '../octets.ts'
import { type Randomness, randomBytes } from '../platform.ts'
import { Certificate } from '../npki/certificate.ts'
import { isSpeaker } from '../npki/chain.ts'
import { type Element, explicit } from '../npki/der.ts'
import { encryptVid, type Padding } from '../npki/encrypted_vid.ts'
import { BadRandom, type PrivateKey } from '../npki/private_key.ts'
import { isSignedBy } from '../npki/signature.ts'
import { checkPkiConf, GRANTED, readCertRep, readError, readPollRep, type StatusInfo, WAITING } from './answer.ts'
import { computeMac, isMac, isMacOf, macParameters, passwordBasedMac, pbmac1 } from './mac.ts'
import {
  CERT_CONF,
  ERROR,
  IP,
  IR,
  KUP,
  KUR,
  NULL_DN,
  parseMessage,
  PKICONF,
  POLL_REP,
  POLL_REQ,
  strict,
  type UnverifiedMessage,
  writeMessage,
  writePart,
} from './message.ts'
import { AuthorityRefused, CmpRefused } from './refusal.ts'
import { SHA256_RSA, signRsa, writeConfirmation, writePolling, writeRejection, writeRequest } from './request.ts'

const RANDOM_OCTETS = 16
const AT_ONCE_AGAIN_S = 5

/** How our messages are protected: by a code, which answers may use either way, or by the old certificate's key. */
export type Protection = 'pbmac1' | 'password-based-mac' | 'signature'

/**
 * Where an exchange stands: texts only, so that JSON and structured clones keep it. Neither code nor key is in it.
 * `reference`: empty where a certificate signs.
 */
export interface Exchange {
  readonly reference: string
  readonly protection: Protection
  /** Hex of a DER GeneralName. */
  readonly recipient: string
  readonly transactionId: string
  /** Of our latest message. */
  readonly senderNonce: string
  /** Of their latest message; null before the first. */
  readonly theirNonce: string | null
}

/** A message to store and then to carry, and where the exchange stands once it is on its way. */
export interface Composed {
  readonly bytes: Uint8Array
  readonly transactionId: Uint8Array
  readonly senderNonce: Uint8Array
  readonly exchange: Exchange
}

/** By whom our messages are: the code, ASCII, or the certificate that is renewed, and its key. */
export type Proof = { readonly code: string } | { readonly signer: Signer }
export interface Signer {
  readonly certificate: Certificate
  readonly key: PrivateKey
}

/** What every message of ours needs. `at`: within five minutes of the authority's clock. */
export type Speaker = Proof & { readonly at: Date; readonly random?: Randomness }

/** What is asked, and of whom. `encryption`: the authority's certificate for R, already checked (`checkEncryption`). */
export interface Asking extends Wanting {
  readonly code: string
  readonly reference: string
  readonly protection?: Exclude<Protection, 'signature'>
}
interface Wanting {
  readonly key: PrivateKey
  readonly encryption: Certificate
  readonly padding: Padding
  readonly at: Date
  readonly random?: Randomness
}

/** The same of a renewal: who signs is what is renewed. */
export interface Renewing extends Wanting {
  readonly signer: Signer
}

/**
 * By whom an answer is believed: the code, or for an error a certificate that one of the anchors issued for it. `code`
 * null: we have none, and such a certificate signs whatever is answered.
 */
export interface Listening {
  readonly code: string | null
  readonly anchors: readonly Certificate[]
  readonly at: Date
}

/** A certificate waits to be checked, stored and confirmed. `certificate`: DER, not looked at. */
export interface Offered {
  readonly kind: 'offered'
  readonly certificate: Uint8Array
  readonly exchange: Exchange
}

/** The authority cannot sign yet: ask again after so many seconds. */
export interface Waiting {
  readonly kind: 'waiting'
  readonly seconds: number
  readonly exchange: Exchange
}

/** The ir. Throws BadRandom for a key without R, and what `encryptVid` throws. */
export async function composeIr(asking: Asking): Promise<Composed> {
  const { reference, encryption, protection = 'pbmac1' } = asking
  return compose(begun(asking, encryption, reference, protection), asking, IR, await wanted(asking, null))
}

/** The kur: as the ir, signed by the certificate that is renewed. Throws as `composeIr`, and KeyMismatch. */
export async function composeKur(renewing: Renewing): Promise<Composed> {
  const { encryption, signer } = renewing
  signer.key.requireMatch(signer.certificate.publicKey)
  return compose(begun(renewing, encryption, '', 'signature'), renewing, KUR, await wanted(renewing, signer.certificate))
}

function begun({ random = randomBytes }: Wanting, { issuer }: Certificate, reference: string, protection: Protection): Exchange {
  const [recipient, transactionId] = [toHex(explicit(4, issuer.raw)), toHex(random(RANDOM_OCTETS))]
  return { reference, protection, recipient, transactionId, senderNonce: '', theirNonce: null }
}

async function wanted({ key, encryption, padding, random = randomBytes }: Wanting, updates: Certificate | null): Promise<Uint8Array> {
  if (key.random === null) throw new BadRandom()
  return writeRequest(key, await encryptVid(encryption, key.random, padding, random), updates)
}

/** The pollReq, after `waiting`. */
export function composePollReq(exchange: Exchange, speaker: Speaker): Promise<Composed> {
  return compose(exchange, speaker, POLL_REQ, writePolling())
}

/** The certConf for an offered certificate; `reject` gives it back, and the old one stands. Throws CmpRefused. */
export async function composeCertConf(
  exchange: Exchange,
  certificate: Uint8Array,
  speaker: Speaker,
  verdict: 'accept' | 'reject' = 'accept',
): Promise<Composed> {
  const content =
    verdict === 'accept' ? strict(() => writeConfirmation(certificate)) : writeRejection(certificate)
  return compose(exchange, speaker, CERT_CONF, content)
}

async function compose(exchange: Exchange, speaker: Speaker, kind: number, content: Uint8Array): Promise<Composed> {
  const { random = randomBytes, at } = speaker
  const [senderNonce, salt] = [random(RANDOM_OCTETS), random(RANDOM_OCTETS)]
  const transactionId = fromHex(exchange.transactionId)
  const voice = voiceOf(exchange, speaker, salt)
  const said = {
    sender: voice.sender,
    recipient: fromHex(exchange.recipient),
    at,
    protectionAlg: voice.algorithm,
    senderKid: voice.kid,
    transactionId,
    senderNonce,
    recipNonce: exchange.theirNonce === null ? null : fromHex(exchange.theirNonce),
  }
  const part = writePart(said, kind, content)
  const moved = { ...exchange, senderNonce: toHex(senderNonce) }
  return { bytes: writeMessage(part, await voice.protect(part), voice.extraCerts), transactionId, senderNonce, exchange: moved }
}

/** How messages of ours are protected, and who they say that they are from (RFC 9483 §3.1). */
interface Voice {
  readonly sender: Uint8Array
  readonly kid: Uint8Array
  readonly algorithm: Uint8Array
  readonly extraCerts: readonly Uint8Array[]
  protect(part: Uint8Array): Promise<Uint8Array>
}

function voiceOf({ reference, protection }: Exchange, speaker: Speaker, salt: Uint8Array): Voice {
  if ('signer' in speaker) return signing(speaker.signer)
  const algorithm = protection === 'pbmac1' ? pbmac1(salt) : passwordBasedMac(salt)
  const protect = async (part: Uint8Array): Promise<Uint8Array> => {
    const code = ascii(speaker.code)
    const mac = await computeMac(macParameters(algorithm), code, part)
    wipe(code)
    return mac
  }
  return { sender: NULL_DN, kid: ascii(reference), algorithm, extraCerts: [], protect }
}

function signing({ certificate, key }: Signer): Voice {
  return {
    sender: explicit(4, certificate.subject.raw),
    kid: certificate.subjectKeyId ?? new Uint8Array(0),
    algorithm: SHA256_RSA,
    extraCerts: [certificate.der],
    protect: (part) => signRsa(key, part),
  }
}

/**
 * What answers an ir, a kur or a pollReq: an ip or a kup, each to its own. Throws CmpRefused for an answer that is not believed (carry the same bytes again),
 * AuthorityRefused for a proven refusal.
 */
export async function receiveIp(
  exchange: Exchange,
  answer: Uint8Array,
  listening: Listening,
): Promise<Offered | Waiting> {
  const heard = await hear(exchange, answer, listening)
  if (heard.kind === POLL_REP) return { kind: 'waiting', seconds: readPollRep(heard.content), exchange: heard.exchange }
  if (heard.kind === ERROR) return waitingOr(readError(heard.content), heard.exchange)
  const granting = exchange.protection === 'signature' ? KUP : IP
  if (heard.kind !== granting) throw new CmpRefused('cmp-answer-unexpected')
  const { info, certificate } = readCertRep(heard.content)
  if (!GRANTED.includes(info.status)) return waitingOr(info, heard.exchange)
  if (certificate === null) throw new CmpRefused('cmp-answer-unexpected')
  return { kind: 'offered', certificate, exchange: heard.exchange }
}

/** An error may say, too, that the answer takes its time (RFC 9483 §4.4). */
function waitingOr(info: StatusInfo, exchange: Exchange): Waiting {
  if (info.status !== WAITING) throw refused(info)
  return { kind: 'waiting', seconds: AT_ONCE_AGAIN_S, exchange }
}

/** What answers a certConf: returns where the authority has taken it. Throws as `receiveIp` does. */
export async function receivePkiConf(exchange: Exchange, answer: Uint8Array, listening: Listening): Promise<void> {
  const { kind, content } = await hear(exchange, answer, listening)
  if (kind === ERROR) {
    const info = readError(content)
    throw info.status === WAITING ? new CmpRefused('cmp-answer-unexpected') : refused(info)
  }
  if (kind !== PKICONF) throw new CmpRefused('cmp-answer-unexpected')
  checkPkiConf(content)
}

function refused({ texts, failInfo }: StatusInfo): AuthorityRefused {
  return new AuthorityRefused(texts, failInfo)
}

interface Heard {
  readonly kind: number
  readonly content: Element
  readonly exchange: Exchange
}

/** The body of an answer that is the authority's, to the latest message of this exchange. Throws CmpRefused. */
async function hear(exchange: Exchange, answer: Uint8Array, listening: Listening): Promise<Heard> {
  // 1. It is a message, in its form and within its bounds.
  const message = parseMessage(answer)
  // 2. It is the authority's.
  await checkProtection(message, listening)
  const { transactionId, recipNonce, senderNonce } = message.header
  // 3. It belongs to this transaction.
  if (!isHex(transactionId, exchange.transactionId)) throw new CmpRefused('cmp-answer-transaction')
  // 4. It answers our latest message and no older one.
  if (!isHex(recipNonce, exchange.senderNonce)) throw new CmpRefused('cmp-answer-nonce')
  const theirNonce = senderNonce === null ? null : toHex(senderNonce)
  return { kind: message.kind, content: message.content, exchange: { ...exchange, theirNonce } }
}

function isHex(octets: Uint8Array | null, expected: string): boolean {
  return octets !== null && same(octets, fromHex(expected))
}

async function checkProtection(message: UnverifiedMessage, listening: Listening): Promise<void> {
  const { header, part, protection } = message
  if (header.protectionAlg === null || protection === null) throw new CmpRefused('cmp-unprotected')
  if (!isMac(header.protectionAlg)) return checkSignature(message, header.protectionAlg, protection, listening)
  if (listening.code === null) throw new CmpRefused('cmp-protection-algorithm')
  const parameters = macParameters(header.protectionAlg)
  const code = ascii(listening.code)
  const proven = await isMacOf(parameters, code, part, protection)
  wipe(code)
  if (!proven) throw new CmpRefused('cmp-protection-wrong')
}

/**
 * To whom it knows by a code the authority signs errors only, and nothing that brings a certificate: the code is asked
 * for there. To whom it knows by a certificate it signs everything.
 */
async function checkSignature(
  { kind, part, extraCerts }: UnverifiedMessage,
  protectionAlg: Uint8Array,
  protection: Uint8Array,
  { code, anchors, at }: Listening,
): Promise<void> {
  if (code !== null && kind !== ERROR) throw new CmpRefused('cmp-protection-algorithm')
  const speaker = certificateIn(extraCerts[0])
  const signed =
    (await isSpeaker(speaker, anchors, at)) && (await isSignedBy(speaker.spki, protectionAlg, protection, part))
  if (!signed) throw new CmpRefused('cmp-protection-wrong')
}

function certificateIn(der: Uint8Array | undefined): Certificate {
  try {
    return new Certificate(der ?? new Uint8Array(0))
  } catch (failure) {
    throw failure instanceof Refusal ? new CmpRefused('cmp-protection-wrong') : failure
  }
}
