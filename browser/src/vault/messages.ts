/**
 * The closed list of messages between a center page and the vault frame (security B2). Shared by both sides.
 *
 * A message counts only with the exact origin and the exact window of the other side; anything that is not on the list
 * is refused by code. No message ever carries a password, a key, R, or an address to talk to.
 */

import { type ChallengeMessage, challengeMessage } from './challenge_message.ts'
import { type CopyFromCenter, copyFromCenter, type CopyFromVault, copyFromVault } from './copy_messages.ts'
import { type IssueMessage, issueMessage, type RegisteredMessage, registeredMessage } from './issue_messages.ts'
import { type ManageFromCenter, manageFromCenter, type ManageFromVault, manageFromVault } from './manage_messages.ts'
import { type PinFromCenter, pinFromCenter, type PinFromVault, pinFromVault } from './pin_messages.ts'
import { type RenewFromCenter, renewFromCenter, type RenewFromVault, renewFromVault } from './renew_messages.ts'
import { base64, CARRIED_MOST, exactly, HEX_32, INSTANT, MessageRefused, record, text } from './message_fields.ts'

export { type ChallengeMessage, challengeMessage } from './challenge_message.ts'
export { CUSTOMER_KINDS, type CustomerKind, type Lang } from './customers.ts'
export { MessageRefused } from './message_fields.ts'

const VERSION = 1
const ID = /^[0-9a-z-]{1,40}$/
const CODE = /^[a-z0-9-]{1,64}$/
const SERIAL = /^[0-9a-f]{1,40}$/
const ANSWER_MOST = 65_536
const HEIGHT_MOST = 6_000

/** Asked by the center. `list` and `export` are reserved: refused with `message-reserved` for now. */
export const RESERVED = ['list', 'export'] as const
export type FromCenter =
  | CopyFromCenter
  | ManageFromCenter
  | PinFromCenter
  | RenewFromCenter
  | { readonly kind: 'sign'; readonly id: string; readonly challenge: ChallengeMessage }
  | { readonly kind: 'issue'; readonly id: string; readonly issue: IssueMessage }
  | { readonly kind: 'registered'; readonly id: string; readonly registered: RegisteredMessage }
  | { readonly kind: 'carried'; readonly id: string; readonly message: string }
  | { readonly kind: 'failed'; readonly id: string; readonly code: string }
  | { readonly kind: 'close'; readonly id: string }

/**
 * Told by the vault. `signed`: base64 of the CMS; `sealed`: base64 of the sealed R or null.
 *
 * Of an issue: `made` when key and R are kept, read back and opened; `carry` a PKIMessage, base64; `issued` when the
 * authority has the confirmation; `done` when the person leaves the last screen; `size` how high the frame would be.
 * Of a copy: copy_messages.ts; there `done` after `ended` means that the person wants to begin again.
 */
export type FromVault =
  | CopyFromVault
  | ManageFromVault
  | PinFromVault
  | RenewFromVault
  | { readonly kind: 'ready' }
  | { readonly kind: 'signed'; readonly id: string; readonly signed: string; readonly sealed: string | null }
  | { readonly kind: 'made'; readonly id: string; readonly spki: string }
  | { readonly kind: 'carry'; readonly id: string; readonly message: string }
  | IssuedMessage
  | { readonly kind: 'done'; readonly id: string }
  | { readonly kind: 'size'; readonly id: string; readonly height: number }
  | { readonly kind: 'cancelled'; readonly id: string }
  | { readonly kind: 'expired'; readonly id: string }
  | { readonly kind: 'refused'; readonly id: string; readonly code: string }

/** `fingerprint`: SHA-256 of the certificate; `serial`: lower hex; `kept`: whether the browser promised not to clear it. */
export interface IssuedMessage {
  readonly kind: 'issued'
  readonly id: string
  readonly fingerprint: string
  readonly serial: string
  readonly not_after: string
  readonly kept: boolean
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
  const only = (...names: readonly string[]): void => exactly(fields, ['ingam', 'kind', 'id', ...names])
  switch (kind) {
    case 'close':
      only()
      return { kind, id }
    case 'sign':
      only('challenge')
      return { kind, id, challenge: challengeMessage(fields['challenge']) }
    case 'issue':
      only('issue')
      return { kind, id, issue: issueMessage(fields['issue']) }
    case 'registered':
      only('registered')
      return { kind, id, registered: registeredMessage(fields['registered']) }
    case 'carried':
      only('message')
      return { kind, id, message: base64(fields['message'], CARRIED_MOST) }
    case 'failed':
      only('code')
      return { kind, id, code: text(fields['code'], CODE) }
    default: {
      const desk = copyFromCenter(kind, id, fields) ?? manageFromCenter(kind, id, fields)
      const found = desk ?? renewFromCenter(kind, id, fields) ?? pinFromCenter(kind, id, fields)
      if (found === null) throw new MessageRefused()
      return found
    }
  }
}

/** What the vault tells. Throws MessageRefused. */
export function fromVault(data: unknown): FromVault {
  const fields = record(data)
  if (fields['ingam'] !== VERSION) throw new MessageRefused()
  const kind = fields['kind']
  if (kind === 'ready') return { kind }
  const id = text(fields['id'], ID)
  switch (kind) {
    case 'cancelled':
    case 'expired':
    case 'done':
      return { kind, id }
    case 'refused':
      return { kind, id, code: text(fields['code'], CODE) }
    case 'signed': {
      const sealed = fields['sealed'] === null ? null : base64(fields['sealed'], ANSWER_MOST)
      return { kind, id, signed: base64(fields['signed'], ANSWER_MOST), sealed }
    }
    case 'made':
      return { kind, id, spki: text(fields['spki'], HEX_32) }
    case 'carry':
      return { kind, id, message: base64(fields['message'], CARRIED_MOST) }
    case 'size':
      return { kind, id, height: height(fields['height']) }
    case 'issued':
      return issued(id, fields)
    default: {
      const desk = copyFromVault(kind, id, fields) ?? manageFromVault(kind, id, fields)
      const found = desk ?? renewFromVault(kind, id, fields) ?? pinFromVault(kind, id, fields)
      if (found === null) throw new MessageRefused()
      return found
    }
  }
}

function issued(id: string, fields: Record<string, unknown>): IssuedMessage {
  if (typeof fields['kept'] !== 'boolean') throw new MessageRefused()
  return {
    kind: 'issued',
    id,
    fingerprint: text(fields['fingerprint'], HEX_32),
    serial: text(fields['serial'], SERIAL),
    not_after: text(fields['not_after'], INSTANT),
    kept: fields['kept'],
  }
}

function height(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > HEIGHT_MOST) throw new MessageRefused()
  return value as number
}
