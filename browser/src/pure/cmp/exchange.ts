/**
 * A certificate asked for by reference number and authorization code: ir → ip → certConf → pkiConf (RFC 9483 §4.1.1),
 * with polling where the authority cannot sign at once.
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
import { writeConfirmation, writePolling, writeRejection, writeRequest } from './request.ts'

const RANDOM_OCTETS = 16
const AT_ONCE_AGAIN_S = 5

/** How a code protects our messages; answers may be protected either way. */
export type Protection = 'pbmac1' | 'password-based-mac'

/** Where an exchange stands: texts only, so that JSON and structured clones keep it. The code is not in it. */
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

/** What every message of ours needs. `code`: ASCII; `at`: within five minutes of the authority's clock. */
export interface Speaker {
  readonly code: string
  readonly at: Date
  readonly random?: Randomness
}

/** What is asked, and of whom. `encryption`: the authority's certificate for R, already checked (`checkEncryption`). */
export interface Asking extends Speaker {
  readonly reference: string
  readonly key: PrivateKey
  readonly encryption: Certificate
  readonly padding: Padding
  readonly protection?: Protection
}

/** By whom an answer is believed: the code, or for an error a certificate that one of the anchors issued for it. */
export interface Listening {
  readonly code: string
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
  const { reference, key, encryption, padding, random = randomBytes, protection = 'pbmac1' } = asking
  if (key.random === null) throw new BadRandom()
  const begun: Exchange = {
    reference,
    protection,
    recipient: toHex(explicit(4, encryption.issuer.raw)),
    transactionId: toHex(random(RANDOM_OCTETS)),
    senderNonce: '',
    theirNonce: null,
  }
  const encryptedVid = await encryptVid(encryption, key.random, padding, random)
  return compose(begun, asking, IR, await writeRequest(key, encryptedVid))
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
  const protectionAlg = exchange.protection === 'pbmac1' ? pbmac1(salt) : passwordBasedMac(salt)
  const said = {
    recipient: fromHex(exchange.recipient),
    at,
    protectionAlg,
    senderKid: ascii(exchange.reference),
    transactionId,
    senderNonce,
    recipNonce: exchange.theirNonce === null ? null : fromHex(exchange.theirNonce),
  }
  const part = writePart(said, kind, content)
  const code = ascii(speaker.code)
  const mac = await computeMac(macParameters(protectionAlg), code, part)
  wipe(code)
  const moved = { ...exchange, senderNonce: toHex(senderNonce) }
  return { bytes: writeMessage(part, mac), transactionId, senderNonce, exchange: moved }
}

/**
 * What answers an ir or a pollReq. Throws CmpRefused for an answer that is not believed (carry the same bytes again),
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
  if (heard.kind !== IP) throw new CmpRefused('cmp-answer-unexpected')
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
  const parameters = macParameters(header.protectionAlg)
  const code = ascii(listening.code)
  const proven = await isMacOf(parameters, code, part, protection)
  wipe(code)
  if (!proven) throw new CmpRefused('cmp-protection-wrong')
}

/** The authority signs what it says to nobody it recognises: errors, and nothing that brings a certificate. */
async function checkSignature(
  { kind, part, extraCerts }: UnverifiedMessage,
  protectionAlg: Uint8Array,
  protection: Uint8Array,
  { anchors, at }: Listening,
): Promise<void> {
  if (kind !== ERROR) throw new CmpRefused('cmp-protection-algorithm')
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
