/**
 * The closed list of messages between a center page and the vault frame (security B2). Shared by both sides.
 *
 * A message counts only with the exact origin and the exact window of the other side; anything that is not on the list
 * is refused by code. No message ever carries a password, a key, R, or an address to talk to.
 */

import { Refusal } from '../pure/failure.ts'
import { PURPOSES, type Purpose } from '../pure/challenge.ts'

const VERSION = 1
const BODY_TEXT_MOST = 8192
const HEX_32 = /^[0-9a-f]{64}$/
const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/
const ID = /^[0-9a-z-]{1,40}$/
const CODE = /^[a-z0-9-]{1,64}$/
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const ANSWER_MOST = 65_536

export const CUSTOMER_KINDS = ['personal', 'union-head', 'corporate'] as const
export type CustomerKind = (typeof CUSTOMER_KINDS)[number]
export type Lang = 'ko' | 'en'

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

/** Asked by the center. `list`, `issue`, `copy` and `export` are reserved: refused with `message-reserved` for now. */
export const RESERVED = ['list', 'issue', 'copy', 'export'] as const
export type FromCenter =
  | { readonly kind: 'sign'; readonly id: string; readonly challenge: ChallengeMessage }
  | { readonly kind: 'close'; readonly id: string }

/** Told by the vault. `signed`: base64 of the CMS; `sealed`: base64 of the sealed R or null. */
export type FromVault =
  | { readonly kind: 'ready' }
  | { readonly kind: 'signed'; readonly id: string; readonly signed: string; readonly sealed: string | null }
  | { readonly kind: 'cancelled'; readonly id: string }
  | { readonly kind: 'expired'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string; readonly code: string }

/** The message is not on the list or not in its form: code `message-refused`. */
export class MessageRefused extends Refusal {
  constructor(code: 'message-refused' | 'message-reserved' = 'message-refused') {
    super(code)
    this.name = 'MessageRefused'
  }
}

/** A message as it goes over the wire. */
export function written(message: FromCenter | FromVault): Record<string, unknown> {
  return { ingam: VERSION, ...message }
}

/** Whether an event comes from exactly that window of exactly that origin. */
export function comesFrom(event: MessageEvent, origin: string, source: MessageEventSource | null): boolean {
  return source !== null && event.origin === origin && event.source === source
}

/** What the center asks. Throws MessageRefused. */
export function fromCenter(data: unknown): FromCenter {
  const fields = record(data)
  if (fields['ingam'] !== VERSION) throw new MessageRefused()
  const kind = fields['kind']
  if (RESERVED.some((reserved) => reserved === kind)) throw new MessageRefused('message-reserved')
  const id = text(fields['id'], ID)
  if (kind === 'close') {
    exactly(fields, ['ingam', 'kind', 'id'])
    return { kind, id }
  }
  if (kind !== 'sign') throw new MessageRefused()
  exactly(fields, ['ingam', 'kind', 'id', 'challenge'])
  return { kind, id, challenge: challengeMessage(fields['challenge']) }
}

/** What the vault tells. Throws MessageRefused. */
export function fromVault(data: unknown): FromVault {
  const fields = record(data)
  if (fields['ingam'] !== VERSION) throw new MessageRefused()
  const kind = fields['kind']
  if (kind === 'ready') return { kind }
  const id = text(fields['id'], ID)
  if (kind === 'cancelled' || kind === 'expired') return { kind, id }
  if (kind === 'refused') return { kind, id, code: text(fields['code'], CODE) }
  if (kind !== 'signed') throw new MessageRefused()
  const sealed = fields['sealed'] === null ? null : base64(fields['sealed'])
  return { kind, id, signed: base64(fields['signed']), sealed }
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

/** The challenge of a `sign` message, or of the center's own JSON answer. Throws MessageRefused. */
export function challengeMessage(data: unknown): ChallengeMessage {
  const fields = record(data)
  exactly(fields, CHALLENGE_FIELDS)
  const { seal, body, body_text: bodyText, origin } = fields
  if (typeof seal !== 'boolean' || typeof origin !== 'string' || origin.length > 200) throw new MessageRefused()
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
    lang: oneOf(fields['lang'], ['ko', 'en'] as const),
  }
}

function record(data: unknown): Record<string, unknown> {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) throw new MessageRefused()
  return data as Record<string, unknown>
}

function exactly(fields: Record<string, unknown>, names: readonly string[]): void {
  const found = Object.keys(fields)
  if (found.length !== names.length || !names.every((name) => found.includes(name))) throw new MessageRefused()
}

function text(value: unknown, form: RegExp): string {
  if (typeof value !== 'string' || !form.test(value)) throw new MessageRefused()
  return value
}

function base64(value: unknown): string {
  if (typeof value !== 'string' || value.length > ANSWER_MOST) throw new MessageRefused()
  return text(value, BASE64)
}

function oneOf<T extends string>(value: unknown, known: readonly T[]): T {
  const found = known.find((each) => each === value)
  if (found === undefined) throw new MessageRefused()
  return found
}
