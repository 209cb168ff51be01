/** What is answered: the contents of ip, kup, pollRep, pkiConf and error (RFC 9810 §5.2.3, §5.3), read within bounds. */

import { BIT_STRING, type Element, INTEGER, NotDer, nul, OCTET_STRING, SEQUENCE } from '../npki/der.ts'
import { same } from '../octets.ts'
import { items, number, readTexts, strict } from './message.ts'
import { CmpRefused } from './refusal.ts'
import { CERT_REQ_ID } from './request.ts'

const RESPONSES_MOST = 16
const CERTIFICATES_MOST = 16
const BITS_OCTETS_MOST = 8
const RSP_INFO_MOST = 16 * 1024

/** PKIStatus: what an authority says to a request. */
export const GRANTED: readonly number[] = [0, 1]
export const WAITING = 3
const STATUS_LAST = 6

/** PKIFailureInfo by its bits (RFC 9810 §5.2.3). */
const FAILURES = [
  ['badAlg', 'badMessageCheck', 'badRequest', 'badTime', 'badCertId', 'badDataFormat', 'wrongAuthority'],
  ['incorrectData', 'missingTimeStamp', 'badPOP', 'certRevoked', 'certConfirmed', 'wrongIntegrity'],
  ['badRecipientNonce', 'timeNotAvailable', 'unacceptedPolicy', 'unacceptedExtension', 'addInfoNotAvailable'],
  ['badSenderNonce', 'badCertTemplate', 'signerNotTrusted', 'transactionIdInUse', 'unsupportedVersion'],
  ['notAuthorized', 'systemUnavail', 'systemFailure', 'duplicateCertReq'],
].flat()

/** PKIStatusInfo. `texts`: statusString; `failInfo`: names of the set bits. */
export interface StatusInfo {
  readonly status: number
  readonly texts: readonly string[]
  readonly failInfo: readonly string[]
}

/** The one CertResponse of an ip. `certificate`: DER, null where none came. */
export interface CertResponse {
  readonly info: StatusInfo
  readonly certificate: Uint8Array | null
}

/** CertRepMessage of an ip or kup: exactly one response, to our certReqId. Throws CmpRefused. */
export function readCertRep(content: Element): CertResponse {
  return strict(() => {
    const parts = content.sequence()
    // caPubs are read past: anchors come with the page, never in a message (security A7).
    if (parts[0]?.tag === 0xa1) items(parts.shift()!.explicit(1), SEQUENCE, CERTIFICATES_MOST)
    const [responses, ...more] = parts
    if (responses === undefined || more.length > 0) throw new NotDer('a CertRepMessage', parts.length)
    const [response, ...others] = items(responses, SEQUENCE, RESPONSES_MOST)
    const [id, info, ...rest] = response!.atLeast(2)
    if (others.length > 0 || number(id) !== BigInt(CERT_REQ_ID)) throw new CmpRefused('cmp-answer-unexpected')
    const certified = rest[0]?.tag === SEQUENCE ? rest.shift()! : null
    const rspInfo = rest.shift()
    if ((rspInfo?.expect(OCTET_STRING).content.length ?? 0) > RSP_INFO_MOST) throw new NotDer('less', 'more')
    if (rest.length > 0) throw new NotDer('nothing behind', rest.length)
    return { info: readStatusInfo(info), certificate: certified === null ? null : readCertificate(certified) }
  })
}

/** CertifiedKeyPair with a certificate in the clear and nothing else: keys are made here and nowhere else. */
function readCertificate(certified: Element): Uint8Array {
  return certified.exactly(1)[0].explicit(0).expect(SEQUENCE).raw
}

/** ErrorMsgContent; its details are joined to the texts. Throws CmpRefused. */
export function readError(content: Element): StatusInfo {
  return strict(() => {
    const [status, ...rest] = content.atLeast(1)
    const info = readStatusInfo(status)
    if (rest[0]?.tag === INTEGER) number(rest.shift()!)
    const details = rest.shift()
    if (rest.length > 0) throw new NotDer('nothing behind', rest.length)
    return details === undefined ? info : { ...info, texts: [...info.texts, ...readTexts(details)] }
  })
}

/** PollRepContent: seconds to wait for our certReqId. Throws CmpRefused. */
export function readPollRep(content: Element): number {
  return strict(() => {
    for (const entry of items(content, SEQUENCE, RESPONSES_MOST)) {
      const [id, after, ...reason] = entry.atLeast(2)
      if (reason.length > 1) throw new NotDer('one reason', reason.length)
      reason.forEach(readTexts)
      const seconds = number(after)
      if (seconds < 0n) throw new NotDer('seconds to wait', `${seconds}`)
      if (number(id) === BigInt(CERT_REQ_ID)) return Number(seconds)
    }
    throw new CmpRefused('cmp-answer-unexpected')
  })
}

/** PKIConfirmContent. Throws CmpRefused. */
export function checkPkiConf(content: Element): void {
  if (!same(content.raw, nul)) throw new CmpRefused('cmp-malformed')
}

function readStatusInfo(info: Element): StatusInfo {
  const [state, ...rest] = info.atLeast(1)
  const status = number(state)
  if (status < 0n || status > STATUS_LAST) throw new NotDer('a PKIStatus', `${status}`)
  const texts = rest[0]?.tag === SEQUENCE ? readTexts(rest.shift()!) : []
  const failed = rest.shift()
  if (rest.length > 0) throw new NotDer('a PKIStatusInfo', 'more')
  return { status: Number(status), texts, failInfo: failed === undefined ? [] : readFailInfo(failed) }
}

/** Names of the bits; those that no RFC names are left out. */
function readFailInfo(failed: Element): string[] {
  const [unused = 8, ...set] = failed.expect(BIT_STRING).content
  const last = set.at(-1)
  if (unused > 7 || set.length > BITS_OCTETS_MOST || ((last ?? 0xff) & ((1 << unused) - 1)) !== 0) {
    throw new NotDer('failure bits', set.length)
  }
  return FAILURES.filter((_, bit) => ((set[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
}
