/**
 * What passes through the center's page about 간편비밀번호, both ways (security B2, B8): signed requests and answers that
 * tell the page nothing. No PIN, no output and no key is among them.
 */

import { exactly, MessageRefused, oneOf, record, text } from './message_fields.ts'

const HEX_16 = /^[0-9a-f]{32}$/
const HEX_32 = /^[0-9a-f]{64}$/
const CODE = /^[a-z0-9-]{1,64}$/
const BASE64 = /^[A-Za-z0-9+/]{43}=$|^[A-Za-z0-9+/]{86}==$|^[A-Za-z0-9+/]{87}=$/
const NUMBER_MOST = 2 ** 31 - 1

export const ACTS = ['challenge', 'set', 'ask', 'proved', 'remove'] as const

/**
 * One request to the center. Base64: `element` a blinded element, `device` a P-256 point, `proves` an Ed25519 key,
 * `signature` of the device key, or of the slot's key where it is `proved`.
 */
export type PinRequest =
  | { readonly act: 'challenge' }
  | { readonly act: 'set'; readonly nonce: string; readonly element: string; readonly device: string; readonly proves: string; readonly signature: string }
  | { readonly act: 'ask'; readonly nonce: string; readonly handle: string; readonly element: string; readonly signature: string }
  | { readonly act: 'proved'; readonly handle: string; readonly number: number; readonly signature: string }
  | { readonly act: 'remove'; readonly nonce: string; readonly handle: string; readonly signature: string }

/** The center's answer; null where it says nothing of it. `code`: why there is none. */
export interface PinTold {
  readonly code: string | null
  readonly nonce: string | null
  readonly handle: string | null
  readonly evaluated: string | null
  readonly number: number | null
  readonly left: number | null
}

export const NOTHING: PinTold = { code: null, nonce: null, handle: null, evaluated: null, number: null, left: null }

const FORMS: Readonly<Record<string, (value: unknown) => string | number>> = {
  nonce: (value) => text(value, HEX_32),
  handle: (value) => text(value, HEX_16),
  element: (value) => text(value, BASE64),
  device: (value) => text(value, BASE64),
  proves: (value) => text(value, BASE64),
  signature: (value) => text(value, BASE64),
  evaluated: (value) => text(value, BASE64),
  code: (value) => text(value, CODE),
  number: whole,
  left: whole,
}
const FIELDS: Readonly<Record<(typeof ACTS)[number], readonly string[]>> = {
  challenge: [],
  set: ['nonce', 'element', 'device', 'proves', 'signature'],
  ask: ['nonce', 'handle', 'element', 'signature'],
  proved: ['handle', 'number', 'signature'],
  remove: ['nonce', 'handle', 'signature'],
}

/** A request of the vault. Throws MessageRefused. */
export function pinRequest(data: unknown): PinRequest {
  const fields = record(data)
  const act = oneOf(fields['act'], ACTS)
  exactly(fields, ['act', ...FIELDS[act]])
  return { act, ...read(fields, FIELDS[act]) } as unknown as PinRequest
}

/** An answer of the center, as the page hands it on. Throws MessageRefused. */
export function pinTold(data: unknown): PinTold {
  const fields = record(data)
  const names = Object.keys(NOTHING)
  exactly(fields, names)
  const given = names.filter((name) => fields[name] !== null)
  return { ...NOTHING, ...read(fields, given) }
}

function read(fields: Record<string, unknown>, names: readonly string[]): Record<string, string | number> {
  return Object.fromEntries(names.map((name) => [name, FORMS[name]!(fields[name])]))
}

function whole(value: unknown): number {
  if (!Number.isSafeInteger(value) || (value as number) < 0 || (value as number) > NUMBER_MOST) throw new MessageRefused()
  return value as number
}

/** Told by the center's page: the answer to the request of this turn. */
export interface PinFromCenter {
  readonly kind: 'pinned'
  readonly id: string
  readonly turn: number
  readonly told: PinTold
}

/** Asked by the vault. `turn`: names the request within the conversation. */
export interface PinFromVault {
  readonly kind: 'pin'
  readonly id: string
  readonly turn: number
  readonly ask: PinRequest
}

/** A message of the center about a PIN, or null where the kind is another. Throws MessageRefused. */
export function pinFromCenter(kind: unknown, id: string, fields: Record<string, unknown>): PinFromCenter | null {
  if (kind !== 'pinned') return null
  exactly(fields, ['ingam', 'kind', 'id', 'turn', 'told'])
  return { kind, id, turn: whole(fields['turn']), told: pinTold(fields['told']) }
}

/** A message of the vault about a PIN, or null where the kind is another. Throws MessageRefused. */
export function pinFromVault(kind: unknown, id: string, fields: Record<string, unknown>): PinFromVault | null {
  if (kind !== 'pin') return null
  exactly(fields, ['ingam', 'kind', 'id', 'turn', 'ask'])
  return { kind, id, turn: whole(fields['turn']), ask: pinRequest(fields['ask']) }
}
