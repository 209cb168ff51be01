/**
 * What the two sides say to each other while a certificate is issued: the forms of `issue` and `registered` (B2, B10).
 *
 * The center names the holder, what R is encrypted to and what the new certificate is measured by; it never sees the
 * password, the key or R. Both objects come from the center's own JSON answers and are passed on as they are.
 */

import { CUSTOMER_KINDS, type CustomerKind, type Lang, LANGS } from './customers.ts'
import { base64, exactly, HEX_32, INSTANT, listOf, MessageRefused, oneOf, record, text } from './message_fields.ts'

const CERTIFICATE_MOST = 16_384
const ANCHORS_MOST = 8
const POLICIES_MOST = 16
const FLOW = /^[0-9a-f]{32}$/
const OID = /^[0-2](\.(0|[1-9]\d{0,39})){1,20}$/
const NAME = /^[^\p{Cc}\p{Cf}]{1,100}$/u
const CODE = /^[\x21-\x7e]{1,64}$/
const NUMBER = /^(\d{10}|\d{13})$/

/** Where the center stands: ⑤, ⑥, registered at the authority, certificate delivered. */
export const STANDS = ['key', 'product', 'requested', 'delivered'] as const
export type Stands = (typeof STANDS)[number]

/** `flow`: 32 hex; `now`: the center's clock; certificates base64 of DER; `spki`: what the center knows, or null. */
export interface IssueMessage {
  readonly flow: string
  readonly now: string
  readonly lang: Lang
  readonly origin: string
  readonly holder: { readonly name: string; readonly kind: CustomerKind }
  readonly encryption: string
  readonly anchors: readonly string[]
  readonly policies: readonly string[]
  readonly profile_ko: string
  readonly profile_en: string
  readonly state: Stands
  readonly spki: string | null
}

const ISSUE_FIELDS = [
  'flow',
  'now',
  'lang',
  'origin',
  'holder',
  'encryption',
  'anchors',
  'policies',
  'profile_ko',
  'profile_en',
  'state',
  'spki',
]

/** The `issue` object. Throws MessageRefused. */
export function issueMessage(data: unknown): IssueMessage {
  const fields = record(data)
  exactly(fields, ISSUE_FIELDS)
  const holder = record(fields['holder'])
  exactly(holder, ['name', 'kind'])
  const { origin, spki } = fields
  if (typeof origin !== 'string' || origin.length > 200) throw new MessageRefused()
  return {
    flow: text(fields['flow'], FLOW),
    now: text(fields['now'], INSTANT),
    lang: oneOf(fields['lang'], LANGS),
    origin,
    holder: { name: text(holder['name'], NAME), kind: oneOf(holder['kind'], CUSTOMER_KINDS) },
    encryption: base64(fields['encryption'], CERTIFICATE_MOST),
    anchors: listOf(fields['anchors'], ANCHORS_MOST, (each) => base64(each, CERTIFICATE_MOST)),
    policies: listOf(fields['policies'], POLICIES_MOST, (each) => text(each, OID)),
    profile_ko: text(fields['profile_ko'], NAME),
    profile_en: text(fields['profile_en'], NAME),
    state: oneOf(fields['state'], STANDS),
    spki: spki === null ? null : text(spki, HEX_32),
  }
}

/** 참조번호, 인가코드 and what the certificate is measured by. `idn`: only to recompute the VID here (B10). */
export interface RegisteredMessage {
  readonly reference: string
  readonly code: string
  readonly idn: string
  readonly not_after_at_most: string
}

/** The `registered` object. Throws MessageRefused. */
export function registeredMessage(data: unknown): RegisteredMessage {
  const fields = record(data)
  exactly(fields, ['reference', 'code', 'idn', 'not_after_at_most'])
  return {
    reference: text(fields['reference'], CODE),
    code: text(fields['code'], CODE),
    idn: text(fields['idn'], NUMBER),
    not_after_at_most: text(fields['not_after_at_most'], INSTANT),
  }
}
