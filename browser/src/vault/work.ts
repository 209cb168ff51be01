/** What the window asks its worker, and what the worker answers. Passwords go this way only, as bytes that move (B11). */

import type { Challenge } from '../pure/challenge.ts'
import type { Facts } from '../pure/failure.ts'
import type { KeptRecord } from './record.ts'

/** Where the encrypted key comes from. */
export type KeySource =
  | { readonly kind: 'file'; readonly certificate: Uint8Array; readonly keyFile: Uint8Array }
  | { readonly kind: 'pfx'; readonly pfx: Uint8Array }
  | { readonly kind: 'record'; readonly record: KeptRecord }

/** What a PIN became at the center, 64 bytes, and the text that the slot signs when it opens by it; both move. */
export interface PinOpening {
  readonly output: Uint8Array
  readonly proof: Uint8Array
}

/**
 * One signature. `password`: UTF-8 of what was typed, moved and overwritten; `signingTime`: milliseconds since 1970.
 *
 * `prf`: what the record's passkey gave, in the place of a password, which is empty then; moved and overwritten too.
 * `pin`: the same of its 간편비밀번호.
 */
export interface Work {
  readonly source: KeySource
  readonly password: Uint8Array
  readonly prf?: Uint8Array
  readonly pin?: PinOpening
  readonly challenge: Challenge
  readonly signingTime: number
  /** The center to fetch the sealing key from, where R is asked for; else null. */
  readonly sealFor: string | null
  readonly keep: boolean
}

/** `signed`: DER of the CMS; `sealed`: the blob of A15; `keep`: a new record to store; `raise`: one to store instead. */
export interface Done {
  readonly signed: Uint8Array
  readonly sealed: Uint8Array | null
  readonly certificate: Uint8Array
  readonly keep: KeptRecord | null
  readonly raise: KeptRecord | null
}

/**
 * `opened`: whether the password was right, so that a later failure does not count as a try; `proved`: the slot's
 * signature where a PIN was.
 */
export type Answer = { readonly proved: Uint8Array | null } & (
  | { readonly ok: true; readonly done: Done }
  | { readonly ok: false; readonly code: string; readonly facts: Facts; readonly opened: boolean }
)
