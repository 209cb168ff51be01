/**
 * What the two sides say to each other at the certificate desk (인증서관리): a closed list of exact forms (security B2).
 *
 * The center names its clock, which certificate is registered, and the public certificates of the authorities that it
 * takes. It hears a certificate alone, and only where the person asks for its state; of passwords, keys and files it
 * hears nothing.
 */

import { type Lang, LANGS } from './customers.ts'
import { base64, exactly, HEX_32, INSTANT, MessageRefused, oneOf, record, text } from './message_fields.ts'

const ORIGIN_MOST = 200
const ANCHORS_MOST = 32
const CERTIFICATE_MOST = 16_384
const CHECKS_MOST = 16
const CODE = /^[a-z0-9-]{1,64}$/

/** With what the person came: the list, or on the way to one of its tasks. */
export const WANTED = ['list', 'password', 'files', 'simple'] as const
export type Wanted = (typeof WANTED)[number]

/** Pages of the center that the desk leads to. */
export const PLACES = ['revocation', 'registration', 'copying', 'issuance', 'login'] as const
export type Place = (typeof PLACES)[number]

/** `now`: the center's clock; `registered`: fingerprint, null where none is or nobody is logged in (`known` false). */
export interface ManageMessage {
  readonly origin: string
  readonly lang: Lang
  readonly now: string
  readonly known: boolean
  readonly registered: string | null
  readonly anchors: readonly string[]
  readonly wanted: Wanted
}

const MANAGE_FIELDS = ['origin', 'lang', 'now', 'known', 'registered', 'anchors', 'wanted']

/** The `manage` object. Throws MessageRefused. */
export function manageMessage(data: unknown): ManageMessage {
  const fields = record(data)
  exactly(fields, MANAGE_FIELDS)
  const { origin, anchors, known, registered } = fields
  if (typeof origin !== 'string' || origin.length > ORIGIN_MOST || typeof known !== 'boolean') throw new MessageRefused()
  if (!Array.isArray(anchors) || anchors.length > ANCHORS_MOST) throw new MessageRefused()
  return {
    origin,
    lang: oneOf(fields['lang'], LANGS),
    now: text(fields['now'], INSTANT),
    known,
    registered: registered === null ? null : text(registered, HEX_32),
    anchors: anchors.map((each) => base64(each, CERTIFICATE_MOST)),
    wanted: oneOf(fields['wanted'], WANTED),
  }
}

/** What the center looks at, by the numbers of its own order of checks. */
export const CHECKS = ['form', 'path', 'policy', 'validity', 'status'] as const
export type CheckName = (typeof CHECKS)[number]
export const VERDICTS = ['good', 'bad', 'open'] as const
/** `open`: it could not be looked at, or was not because of what came before. */
export type Verdict = (typeof VERDICTS)[number]
export const SOURCES = ['ocsp', 'crl'] as const
export type Source = (typeof SOURCES)[number]

/** One check. `code`: why it is not good; `source`, `produced`: where a status comes from and of when it is. */
export interface Check {
  readonly check: CheckName
  readonly verdict: Verdict
  readonly code: string | null
  readonly source: Source | null
  readonly produced: string | null
}

/** `at`: the center's instant. */
export interface Verified {
  readonly at: string
  readonly checks: readonly Check[]
}

/** The center's answer to `verify`. Throws MessageRefused. */
export function verifiedMessage(data: unknown): Verified {
  const fields = record(data)
  exactly(fields, ['at', 'checks'])
  const { checks } = fields
  if (!Array.isArray(checks) || checks.length > CHECKS_MOST) throw new MessageRefused()
  return { at: text(fields['at'], INSTANT), checks: checks.map(checkOf) }
}

function checkOf(data: unknown): Check {
  const fields = record(data)
  exactly(fields, ['check', 'verdict', 'code', 'source', 'produced'])
  const { code, source, produced } = fields
  return {
    check: oneOf(fields['check'], CHECKS),
    verdict: oneOf(fields['verdict'], VERDICTS),
    code: code === null ? null : text(code, CODE),
    source: source === null ? null : oneOf(source, SOURCES),
    produced: produced === null ? null : text(produced, INSTANT),
  }
}

/** Asked by the center: `manage`, and what it found of a certificate (or `failed` of every conversation). */
export type ManageFromCenter =
  | { readonly kind: 'manage'; readonly id: string; readonly manage: ManageMessage }
  | { readonly kind: 'verified'; readonly id: string; readonly verified: Verified }

/** Told by the vault: `verify` this certificate (base64 of its DER); `lead` to a page of the center. */
export type ManageFromVault =
  | { readonly kind: 'verify'; readonly id: string; readonly certificate: string }
  | { readonly kind: 'lead'; readonly id: string; readonly to: Place }

/** A message of the center about the desk, or null where the kind is none of these. Throws MessageRefused. */
export function manageFromCenter(kind: unknown, id: string, fields: Record<string, unknown>): ManageFromCenter | null {
  const only = (name: string): void => exactly(fields, ['ingam', 'kind', 'id', name])
  if (kind === 'manage') {
    only('manage')
    return { kind, id, manage: manageMessage(fields['manage']) }
  }
  if (kind !== 'verified') return null
  only('verified')
  return { kind, id, verified: verifiedMessage(fields['verified']) }
}

/** A message of the vault about the desk, or null where the kind is none of these. Throws MessageRefused. */
export function manageFromVault(kind: unknown, id: string, fields: Record<string, unknown>): ManageFromVault | null {
  const only = (name: string): void => exactly(fields, ['ingam', 'kind', 'id', name])
  if (kind === 'verify') {
    only('certificate')
    return { kind, id, certificate: base64(fields['certificate'], CERTIFICATE_MOST) }
  }
  if (kind !== 'lead') return null
  only('to')
  return { kind, id, to: oneOf(fields['to'], PLACES) }
}
