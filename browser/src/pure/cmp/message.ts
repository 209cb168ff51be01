/**
 * PKIMessage (RFC 9810 §5.1): header, body as received, protection, extraCerts. Reading proves the form, nothing else.
 *
 * Twin of protocols/cmp/message.py and header.py as far as one who asks for a certificate needs them. Protection is
 * computed over the received slices; every field has a bound that is asked before it is read further.
 */

import { Refusal } from '../failure.ts'
import { fromUtf8 } from '../platform.ts'
import {
  bits,
  element,
  type Element,
  explicit,
  integer,
  NotDer,
  nothing,
  OCTET_STRING,
  octets,
  OID,
  seq,
  SEQUENCE,
  tlv,
  UTF8_STRING,
  whole,
} from '../npki/der.ts'
import { CmpRefused } from './refusal.ts'

const MESSAGE_MOST = 64 * 1024
const EXTRA_CERTS_MOST = 16
const NAME_MOST = 4096
const INFO_MOST = 32
const TEXTS_MOST = 16
const NUMBER_MOST = 1n << 31n
/** Octets of senderKID, recipKID, transactionID, senderNonce, recipNonce: fields 2 to 6. */
const OCTETS_MOST = [4096, 4096, 128, 128, 128] as const
const GENERAL_NAMES = [0xa0, 0x81, 0x82, 0xa3, 0xa4, 0xa5, 0x86, 0x87, 0x88]
const GENERALIZED_TIME = 0x18
const INSTANT = /^\d{14}(\.\d{0,5}[1-9])?Z$/

/** PKIBody's choices that are met here, by tag number (RFC 9810 §5.1.2). */
export const IR = 0
export const IP = 1
export const KUR = 7
export const KUP = 8
export const PKICONF = 19
export const ERROR = 23
export const CERT_CONF = 24
export const POLL_REQ = 25
export const POLL_REP = 26
const BODY_LAST = 26

/** cmp2000 and cmp2021 (RFC 9483 §3.1). */
const VERSIONS = [2n, 3n]
/** GeneralName directoryName without any attribute: a sender that has no name yet. */
export const NULL_DN: Uint8Array = explicit(4, seq())

/** What of a PKIHeader is looked at. `sender`: DER GeneralName; the others: contents, null where absent. */
export interface Header {
  readonly sender: Uint8Array
  readonly protectionAlg: Uint8Array | null
  readonly transactionId: Uint8Array | null
  readonly senderNonce: Uint8Array | null
  readonly recipNonce: Uint8Array | null
}

/** A message that nobody has vouched for yet. `content`: the one element inside the body's `[kind]`. */
export interface UnverifiedMessage {
  readonly header: Header
  readonly kind: number
  readonly content: Element
  /** DER of the ProtectedPart over the received slices. */
  readonly part: Uint8Array
  readonly protection: Uint8Array | null
  readonly extraCerts: readonly Uint8Array[]
}

/** What reading gives; whatever DER the bytes are not is the one refusal `cmp-malformed`. */
export function strict<T>(reading: () => T): T {
  try {
    return reading()
  } catch (failure) {
    if (failure instanceof CmpRefused) throw failure
    if (failure instanceof Refusal || failure instanceof TypeError) throw new CmpRefused('cmp-malformed')
    throw failure
  }
}

/** A message from its DER, to the last byte; at most 64 KiB. Throws CmpRefused. */
export function parseMessage(data: Uint8Array): UnverifiedMessage {
  if (data.length > MESSAGE_MOST) throw new CmpRefused('cmp-too-large', { most: MESSAGE_MOST })
  return strict(() => readMessage(whole(data)))
}

function readMessage(message: Element): UnverifiedMessage {
  const [head, body, ...rest] = message.atLeast(2)
  const header = readHeader(head)
  const kind = body.tag - 0xa0
  if (kind < 0 || kind > BODY_LAST) throw new NotDer('a body', body.tag)
  const protection = rest[0]?.tag === 0xa0 ? rest.shift()! : null
  const certificates = rest[0]?.tag === 0xa1 ? items(rest.shift()!.explicit(1), SEQUENCE, EXTRA_CERTS_MOST) : []
  if (rest.length > 0) throw new NotDer('nothing behind', rest.length)
  return {
    header,
    kind,
    content: body.explicit(kind),
    part: seq(head.raw, body.raw),
    protection: protection?.explicit(0).bits() ?? null,
    extraCerts: certificates.map((one) => one.raw),
  }
}

function readHeader(head: Element): Header {
  const [version, sender, recipient, ...rest] = head.atLeast(3)
  const pvno = number(version)
  checkGeneralName(sender)
  checkGeneralName(recipient)
  const fields = new Map<number, Element>()
  let last = -1
  for (const tagged of rest) {
    const field = tagged.tag - 0xa0
    if (field <= last || field > 8) throw new NotDer('the next field of a header', tagged.tag)
    fields.set(field, readField(field, tagged.explicit(field)))
    last = field
  }
  if (!VERSIONS.includes(pvno)) throw new CmpRefused('cmp-version', { found: `${pvno}` })
  const octetsOf = (field: number): Uint8Array | null => fields.get(field)?.content ?? null
  return {
    sender: sender.raw,
    protectionAlg: fields.get(1)?.raw ?? null,
    transactionId: octetsOf(4),
    senderNonce: octetsOf(5),
    recipNonce: octetsOf(6),
  }
}

/** The value of a field, in its form and within its bound. */
function readField(field: number, value: Element): Element {
  if (field === 0) {
    const text = String.fromCharCode(...value.expect(GENERALIZED_TIME).content.subarray(0, 32))
    if (!INSTANT.test(text)) throw new NotDer('an instant', 'other text')
  } else if (field === 1) {
    value.expect(SEQUENCE)
  } else if (field === 7) {
    readTexts(value)
  } else if (field === 8) {
    items(value, SEQUENCE, INFO_MOST).forEach(checkInfo)
  } else if (value.expect(OCTET_STRING).content.length > OCTETS_MOST[field - 2]!) {
    throw new NotDer(`at most ${OCTETS_MOST[field - 2]} octets`, value.content.length)
  }
  return value
}

function checkGeneralName(name: Element): void {
  if (!GENERAL_NAMES.includes(name.tag) || name.raw.length > NAME_MOST) throw new NotDer('a GeneralName', name.tag)
  if (name.tag === 0xa4) name.explicit(4).expect(SEQUENCE)
}

/** InfoTypeAndValue: a type, and at most one value. */
function checkInfo(info: Element): void {
  const [kind, ...values] = info.atLeast(1)
  kind.expect(OID)
  if (values.length > 1) throw new NotDer('type and value', values.length)
}

/** The elements of a SEQUENCE OF: one to `most`, all of one tag. Throws NotDer. */
export function items(list: Element, tag: number, most: number): Element[] {
  const found: Element[] = []
  // Each one is counted before the next is read: nobody's thousands are listed.
  for (let at = list.expect(SEQUENCE).body; at < list.end; ) {
    const next = element(list.data, at, list.end)
    if (found.push(next.expect(tag)) > most) throw new NotDer(`at most ${most}`, 'more')
    at = next.end
  }
  if (found.length === 0) throw new NotDer('one or more', 'none')
  return found
}

/** PKIFreeText. Throws NotDer, and TypeError for what is no UTF-8. */
export function readTexts(list: Element): string[] {
  return items(list, UTF8_STRING, TEXTS_MOST).map((text) => fromUtf8(text.content))
}

/** A small INTEGER, of 32 bits with its sign. Throws NotDer. */
export function number(one: Element): bigint {
  if (one.content.length > 4) throw new NotDer('a small number', one.content.length)
  const value = one.integer()
  if (value < -NUMBER_MOST || value >= NUMBER_MOST) throw new NotDer('a small number', 'another')
  return value
}

/**
 * What the header of a message of ours says. `sender`: DER GeneralName; `at`: in whole seconds; `recipNonce` null:
 * nothing is answered.
 */
export interface Speaking {
  readonly sender?: Uint8Array
  readonly recipient: Uint8Array
  readonly at: Date
  readonly protectionAlg: Uint8Array
  readonly senderKid: Uint8Array
  readonly transactionId: Uint8Array
  readonly senderNonce: Uint8Array
  readonly recipNonce: Uint8Array | null
}

/** DER of the ProtectedPart: what is protected. `content`: the element inside the body's `[kind]`. */
export function writePart(speaking: Speaking, kind: number, content: Uint8Array): Uint8Array {
  const { sender = NULL_DN, recipient, at, protectionAlg, senderKid, transactionId, senderNonce, recipNonce } = speaking
  const time = at.toISOString().replace(/\.\d{3}|[-:T]/g, '')
  const header = seq(
    integer(2),
    sender,
    recipient,
    explicit(0, tlv(GENERALIZED_TIME, Uint8Array.from(time, (letter) => letter.charCodeAt(0)))),
    explicit(1, protectionAlg),
    explicit(2, octets(senderKid)),
    explicit(4, octets(transactionId)),
    explicit(5, octets(senderNonce)),
    recipNonce === null ? nothing : explicit(6, octets(recipNonce)),
  )
  return seq(header, explicit(kind, content))
}

/** The whole message of a ProtectedPart and the protection over it. `extraCerts`: DER, the protection's first. */
export function writeMessage(
  part: Uint8Array,
  protection: Uint8Array,
  extraCerts: readonly Uint8Array[] = [],
): Uint8Array {
  const certificates = extraCerts.length === 0 ? nothing : explicit(1, seq(...extraCerts))
  return seq(whole(part).content, explicit(0, bits(protection)), certificates)
}
