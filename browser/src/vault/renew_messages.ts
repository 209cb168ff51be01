/**
 * What the two sides say to each other while a certificate is renewed: the forms of `renew`, `renewing`, `measured` and
 * `brought`.
 *
 * As for an issue, with three differences: the vault chooses what is renewed among what the authority issued to this very
 * person; no code is told, because the old key signs (D10); and the person's number comes only with the certificate, by
 * which the authority has verified that signature. Everything else is said as in issue_messages.ts.
 */

import { type IssueMessage, issueMessage, type RegisteredMessage, registeredMessage } from './issue_messages.ts'
import { base64, CARRIED_MOST, exactly, HEX_32, INSTANT, listOf, MessageRefused, oneOf, record, text } from './message_fields.ts'

const OWN_MOST = 64
const WINDOW_MOST = 366
const NUMBER = /^(\d{10}|\d{13})$/

/** What the authority says of a certificate of this person's. */
export const STANDINGS = ['pending', 'valid', 'held', 'revoked'] as const
export type OwnStanding = (typeof STANDINGS)[number]
export interface Own {
  readonly fingerprint: string
  readonly standing: OwnStanding
}

/** `own`: what the authority ever issued to the person; `window_days`: from how many days before its end (30). */
export interface RenewMessage extends Omit<IssueMessage, 'profile_ko' | 'profile_en' | 'spki'> {
  readonly own: readonly Own[]
  readonly window_days: number
}

const FIELDS = ['flow', 'now', 'lang', 'origin', 'holder', 'encryption', 'anchors', 'policies', 'state', 'own', 'window_days']

/** The `renew` object. Throws MessageRefused. */
export function renewMessage(data: unknown): RenewMessage {
  const fields = record(data)
  exactly(fields, FIELDS)
  const { own, window_days: days, ...rest } = fields
  if (!Number.isSafeInteger(days) || (days as number) < 0 || (days as number) > WINDOW_MOST) throw new MessageRefused()
  const { profile_ko: _ko, profile_en: _en, spki: _spki, ...issue } = issueMessage({ ...rest, ...UNUSED })
  return { ...issue, own: Array.isArray(own) && own.length === 0 ? [] : listOf(own, OWN_MOST, ownOf), window_days: days as number }
}

const UNUSED = { profile_ko: '-', profile_en: '-', spki: null }

function ownOf(data: unknown): Own {
  const fields = record(data)
  exactly(fields, ['fingerprint', 'standing'])
  return { fingerprint: text(fields['fingerprint'], HEX_32), standing: oneOf(fields['standing'], STANDINGS) }
}

/** The same to an issue's desk, which it is shown by. */
export function asIssue({ own: _own, window_days: _days, ...rest }: RenewMessage): IssueMessage {
  return { ...rest, ...UNUSED }
}

/** By what the new certificate is measured, before it is there. */
export interface MeasuredMessage {
  readonly not_after_at_most: string
}

/** The same as the draft keeps it once the certificate is there. `idn`: only to recompute the VID here (B10). */
export interface NumberedMessage extends MeasuredMessage {
  readonly idn: string
}

/** The `measured` object. Throws MessageRefused. */
export function measuredMessage(data: unknown): MeasuredMessage {
  const fields = record(data)
  exactly(fields, ['not_after_at_most'])
  return { not_after_at_most: text(fields['not_after_at_most'], INSTANT) }
}

/** What the center has told: with codes for a first certificate, without for a renewal. */
export type Told = RegisteredMessage | MeasuredMessage | NumberedMessage

/** One of them, as it was kept. Throws MessageRefused. */
export function toldMessage(data: unknown): Told {
  const fields = record(data)
  if ('code' in fields) return registeredMessage(fields)
  if (!('idn' in fields)) return measuredMessage(fields)
  const { idn, ...measured } = fields
  return { ...measuredMessage(measured), idn: text(idn, NUMBER) }
}

export type RenewFromCenter =
  | { readonly kind: 'renew'; readonly id: string; readonly renew: RenewMessage }
  | { readonly kind: 'measured'; readonly id: string; readonly measured: MeasuredMessage }
  | BroughtMessage

/** `carried`, of an answer that brings the certificate: what an authority issued proves whose key asked (D10). */
export interface BroughtMessage {
  readonly kind: 'brought'
  readonly id: string
  readonly message: string
  readonly idn: string
}

/** `renewing` in the place of `made`: `fingerprint` is that of the certificate that is renewed. */
export type RenewFromVault = {
  readonly kind: 'renewing'
  readonly id: string
  readonly spki: string
  readonly fingerprint: string
}

/** What the center asks of a renewal; null where it is another message. Throws MessageRefused. */
export function renewFromCenter(kind: unknown, id: string, fields: Record<string, unknown>): RenewFromCenter | null {
  if (kind === 'brought') return broughtMessage(id, fields)
  if (kind !== 'renew' && kind !== 'measured') return null
  exactly(fields, ['ingam', 'kind', 'id', kind])
  if (kind === 'renew') return { kind, id, renew: renewMessage(fields['renew']) }
  return { kind, id, measured: measuredMessage(fields['measured']) }
}

function broughtMessage(id: string, fields: Record<string, unknown>): BroughtMessage {
  exactly(fields, ['ingam', 'kind', 'id', 'message', 'idn'])
  return { kind: 'brought', id, message: base64(fields['message'], CARRIED_MOST), idn: text(fields['idn'], NUMBER) }
}

/** What the vault tells of a renewal; null where it is another message. Throws MessageRefused. */
export function renewFromVault(kind: unknown, id: string, fields: Record<string, unknown>): RenewFromVault | null {
  if (kind !== 'renewing') return null
  return { kind, id, spki: text(fields['spki'], HEX_32), fingerprint: text(fields['fingerprint'], HEX_32) }
}
