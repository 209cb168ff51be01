/**
 * What the two sides say to each other while a certificate is copied: a closed list of exact forms (security B2, C5).
 *
 * The center names the two devices, hands out tickets and says which certificates are registered. What makes the number
 * or the QR a secret never stands in a message: of twelve digits the page hears the mailbox's five (C4). The relay's
 * address comes from the vault's own settings, never from here.
 */

import { type ChallengeMessage, challengeMessage } from './challenge_message.ts'
import { CUSTOMER_KINDS, type CustomerKind, type Lang, LANGS } from './customers.ts'
import { base64, exactly, HEX_32, MessageRefused, oneOf, record, text } from './message_fields.ts'

export const COPY_ROLES = ['send', 'receive'] as const
export type CopyRole = (typeof COPY_ROLES)[number]
export const HERE = ['pc', 'phone'] as const
export type Here = (typeof HERE)[number]
export const ACTS = ['open', 'join'] as const
export type Act = (typeof ACTS)[number]

const ORIGIN_MOST = 200
const BOUND_MOST = 16
const DEVICE_OCTETS_MOST = 120
const DEVICE = /^[^\p{Cc}\p{Cf}]{1,120}$/u
const MAILBOX = /^\d{5}$/
const TICKET_ID = /^[0-9a-f]{32}$/
const TICKET = /^[A-Za-z0-9_-]{1,1024}\.[A-Za-z0-9_-]{86}$/
const CODE = /^[a-z0-9-]{1,64}$/
const SIGNED_MOST = 65_536
const TTL_MOST = 600

/**
 * What a copy begins with. `device`: this device as the center calls it, at most 120 octets of UTF-8; `other`: the other
 * one, where it is known; `bound`: fingerprints that may leave (M-COPY-10); `challenge`: of a sender, else null.
 */
export interface CopyMessage {
  readonly origin: string
  readonly role: CopyRole
  readonly lang: Lang
  readonly customer_kind: CustomerKind
  readonly here: Here
  readonly device: string
  readonly bound: readonly string[]
  readonly other: string | null
  readonly challenge: ChallengeMessage | null
}

const COPY_FIELDS = ['origin', 'role', 'lang', 'customer_kind', 'here', 'device', 'bound', 'other', 'challenge']

/** The `copy` object. Throws MessageRefused. */
export function copyMessage(data: unknown): CopyMessage {
  const fields = record(data)
  exactly(fields, COPY_FIELDS)
  const { origin, bound } = fields
  if (typeof origin !== 'string' || origin.length > ORIGIN_MOST) throw new MessageRefused()
  if (!Array.isArray(bound) || bound.length > BOUND_MOST) throw new MessageRefused()
  const role = oneOf(fields['role'], COPY_ROLES)
  return {
    origin,
    role,
    lang: oneOf(fields['lang'], LANGS),
    customer_kind: oneOf(fields['customer_kind'], CUSTOMER_KINDS),
    here: oneOf(fields['here'], HERE),
    device: deviceText(fields['device']),
    bound: bound.map((each) => text(each, HEX_32)),
    other: fields['other'] === null ? null : deviceText(fields['other']),
    challenge: challengeOf(role, fields['challenge']),
  }
}

function deviceText(value: unknown): string {
  const device = text(value, DEVICE)
  if (new TextEncoder().encode(device).length > DEVICE_OCTETS_MOST) throw new MessageRefused()
  return device
}

/** A sender signs that its certificate leaves, and nothing else; a receiver signs nothing (A19). */
function challengeOf(role: CopyRole, value: unknown): ChallengeMessage | null {
  if (role === 'receive') {
    if (value !== null) throw new MessageRefused()
    return null
  }
  return copyOut(value)
}

/** The challenge of a sender: also what comes after `expired`. Throws MessageRefused. */
export function copyOut(value: unknown): ChallengeMessage {
  const challenge = challengeMessage(value)
  if (challenge.purpose !== 'copy-out' || challenge.seal || challenge.body_text === null) throw new MessageRefused()
  return challenge
}

/** What a ticket says that this side needs: its id, and for how many seconds a mailbox opened by it waits. */
export function ticketFacts(ticket: string): { readonly id: string; readonly ttl: number } {
  const fields = record(jsonOf(ticket.slice(0, ticket.indexOf('.'))))
  const { ttl } = fields
  if (!Number.isSafeInteger(ttl) || (ttl as number) < 1 || (ttl as number) > TTL_MOST) throw new MessageRefused()
  return { id: text(fields['id'], TICKET_ID), ttl: ttl as number }
}

/** Its signature is the relay's to check (C12). */
function jsonOf(encoded: string): unknown {
  try {
    return JSON.parse(atob(encoded.replaceAll('-', '+').replaceAll('_', '/')))
  } catch {
    throw new MessageRefused()
  }
}

/** Asked by the center while a certificate is copied. `accepted` follows `proved`, and `arrived`. */
export type CopyFromCenter =
  | { readonly kind: 'copy'; readonly id: string; readonly copy: CopyMessage }
  | { readonly kind: 'ticket'; readonly id: string; readonly ticket: string }
  | { readonly kind: 'accepted'; readonly id: string }
  | { readonly kind: 'renewed'; readonly id: string; readonly challenge: ChallengeMessage }

/**
 * Told by the vault. `nonce`: of the challenge that was signed; `wanted`: a ticket, for a new mailbox or for the one of
 * five digits; `opened`: the relay gave this mailbox for the ticket of this id; `paired`: both ends have each other's
 * confirmation; `arrived`: it asks whether this certificate may be kept; `copied`: it is kept and was read back (on the
 * sending side: the other side proved that); `ended`: the run is over without that, and why.
 */
export type CopyFromVault =
  | { readonly kind: 'proved'; readonly id: string; readonly nonce: string; readonly signed: string }
  | { readonly kind: 'wanted'; readonly id: string; readonly act: 'open'; readonly mailbox: null }
  | { readonly kind: 'wanted'; readonly id: string; readonly act: 'join'; readonly mailbox: string }
  | { readonly kind: 'opened'; readonly id: string; readonly mailbox: string; readonly ticket: string }
  | { readonly kind: 'paired'; readonly id: string }
  | { readonly kind: 'arrived'; readonly id: string; readonly fingerprint: string }
  | { readonly kind: 'copied'; readonly id: string; readonly fingerprint: string; readonly role: CopyRole }
  | { readonly kind: 'ended'; readonly id: string; readonly code: string }

/** A message of the center about a copy, or null where the kind is none of these. Throws MessageRefused. */
export function copyFromCenter(kind: unknown, id: string, fields: Record<string, unknown>): CopyFromCenter | null {
  const only = (...names: readonly string[]): void => exactly(fields, ['ingam', 'kind', 'id', ...names])
  switch (kind) {
    case 'copy':
      only('copy')
      return { kind, id, copy: copyMessage(fields['copy']) }
    case 'ticket':
      only('ticket')
      return { kind, id, ticket: text(fields['ticket'], TICKET) }
    case 'accepted':
      only()
      return { kind, id }
    case 'renewed':
      only('challenge')
      return { kind, id, challenge: copyOut(fields['challenge']) }
    default:
      return null
  }
}

/** A message of the vault about a copy, or null where the kind is none of these. Throws MessageRefused. */
export function copyFromVault(kind: unknown, id: string, fields: Record<string, unknown>): CopyFromVault | null {
  const only = (...names: readonly string[]): void => exactly(fields, ['ingam', 'kind', 'id', ...names])
  switch (kind) {
    case 'proved':
      only('nonce', 'signed')
      return { kind, id, nonce: text(fields['nonce'], HEX_32), signed: base64(fields['signed'], SIGNED_MOST) }
    case 'wanted':
      only('act', 'mailbox')
      return wanted(id, fields)
    case 'opened':
      only('mailbox', 'ticket')
      return { kind, id, mailbox: text(fields['mailbox'], MAILBOX), ticket: text(fields['ticket'], TICKET_ID) }
    case 'paired':
      only()
      return { kind, id }
    case 'arrived':
      only('fingerprint')
      return { kind, id, fingerprint: text(fields['fingerprint'], HEX_32) }
    case 'copied':
      only('fingerprint', 'role')
      return { kind, id, fingerprint: text(fields['fingerprint'], HEX_32), role: oneOf(fields['role'], COPY_ROLES) }
    case 'ended':
      only('code')
      return { kind, id, code: text(fields['code'], CODE) }
    default:
      return null
  }
}

function wanted(id: string, fields: Record<string, unknown>): CopyFromVault {
  const act = oneOf(fields['act'], ACTS)
  if (act === 'join') return { kind: 'wanted', id, act, mailbox: text(fields['mailbox'], MAILBOX) }
  if (fields['mailbox'] !== null) throw new MessageRefused()
  return { kind: 'wanted', id, act, mailbox: null }
}
