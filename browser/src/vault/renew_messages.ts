/**
 * What the two sides say to each other while a certificate is renewed: the forms of `renew`, `renewing` and `measured`.
 *
 * As for an issue, with two differences: the vault chooses what is renewed among what the authority issued to this very
 * person, and no code is told, because the old key signs (D10). Everything else is said as in issue_messages.ts.
 */

import { type IssueMessage, issueMessage, type RegisteredMessage, registeredMessage } from './issue_messages.ts'
import { exactly, HEX_32, INSTANT, listOf, MessageRefused, oneOf, record, text } from './message_fields.ts'

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

/** By what the new certificate is measured. `idn`: only to recompute the VID here (B10). */
export interface MeasuredMessage {
  readonly idn: string
  readonly not_after_at_most: string
}

/** The `measured` object. Throws MessageRefused. */
export function measuredMessage(data: unknown): MeasuredMessage {
  const fields = record(data)
  exactly(fields, ['idn', 'not_after_at_most'])
  return { idn: text(fields['idn'], NUMBER), not_after_at_most: text(fields['not_after_at_most'], INSTANT) }
}

/** What the center tells before anything is asked: with codes for a first certificate, without for a renewal. */
export type Told = RegisteredMessage | MeasuredMessage

/** Either of them, as it was kept. Throws MessageRefused. */
export function toldMessage(data: unknown): Told {
  return 'code' in record(data) ? registeredMessage(data) : measuredMessage(data)
}

export type RenewFromCenter =
  | { readonly kind: 'renew'; readonly id: string; readonly renew: RenewMessage }
  | { readonly kind: 'measured'; readonly id: string; readonly measured: MeasuredMessage }

/** `renewing` in the place of `made`: `fingerprint` is that of the certificate that is renewed. */
export type RenewFromVault = {
  readonly kind: 'renewing'
  readonly id: string
  readonly spki: string
  readonly fingerprint: string
}

/** What the center asks of a renewal; null where it is another message. Throws MessageRefused. */
export function renewFromCenter(kind: unknown, id: string, fields: Record<string, unknown>): RenewFromCenter | null {
  if (kind !== 'renew' && kind !== 'measured') return null
  exactly(fields, ['ingam', 'kind', 'id', kind])
  if (kind === 'renew') return { kind, id, renew: renewMessage(fields['renew']) }
  return { kind, id, measured: measuredMessage(fields['measured']) }
}

/** What the vault tells of a renewal; null where it is another message. Throws MessageRefused. */
export function renewFromVault(kind: unknown, id: string, fields: Record<string, unknown>): RenewFromVault | null {
  if (kind !== 'renewing') return null
  return { kind, id, spki: text(fields['spki'], HEX_32), fingerprint: text(fields['fingerprint'], HEX_32) }
}
