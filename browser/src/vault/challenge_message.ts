/** The challenge as a message carries it: the center's own JSON, read strictly and passed on as it is (security A1, B2). */

import { PURPOSES, type Purpose } from '../pure/challenge.ts'
import { CUSTOMER_KINDS, type CustomerKind, type Lang, LANGS } from './customers.ts'
import { exactly, HEX_32, INSTANT, MessageRefused, oneOf, record, text } from './message_fields.ts'

const BODY_TEXT_MOST = 8192
const ORIGIN_MOST = 200

/** What the center's server hands out and its page passes on. `body`: 64 lower hex of SHA-256 of `body_text`, or null. */
export interface ChallengeMessage {
  readonly purpose: Purpose
  readonly origin: string
  readonly nonce: string
  readonly issued: string
  readonly expires: string
  readonly session: string
  readonly body: string | null
  readonly body_text: string | null
  readonly seal: boolean
  readonly customer_kind: CustomerKind | null
  readonly lang: Lang
}

const CHALLENGE_FIELDS = [
  'purpose',
  'origin',
  'nonce',
  'issued',
  'expires',
  'session',
  'body',
  'body_text',
  'seal',
  'customer_kind',
  'lang',
]

/** The challenge of a message, or of the center's own JSON answer. Throws MessageRefused. */
export function challengeMessage(data: unknown): ChallengeMessage {
  const fields = record(data)
  exactly(fields, CHALLENGE_FIELDS)
  const { seal, body, body_text: bodyText, origin } = fields
  if (typeof seal !== 'boolean' || typeof origin !== 'string' || origin.length > ORIGIN_MOST) throw new MessageRefused()
  if (bodyText !== null && (typeof bodyText !== 'string' || bodyText.length > BODY_TEXT_MOST)) throw new MessageRefused()
  return {
    purpose: oneOf(fields['purpose'], PURPOSES),
    origin,
    nonce: text(fields['nonce'], HEX_32),
    issued: text(fields['issued'], INSTANT),
    expires: text(fields['expires'], INSTANT),
    session: text(fields['session'], HEX_32),
    body: body === null ? null : text(body, HEX_32),
    body_text: bodyText,
    seal,
    customer_kind: fields['customer_kind'] === null ? null : oneOf(fields['customer_kind'], CUSTOMER_KINDS),
    lang: oneOf(fields['lang'], LANGS),
  }
}
