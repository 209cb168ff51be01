/** What the window asks its worker while a certificate is copied, and what it hears (security B11, C11, C14). */

import type { Challenge } from '../pure/challenge.ts'
import type { Facts } from '../pure/failure.ts'
import type { KeptRecord } from './record.ts'
import type { KeySource, PinOpening } from './work.ts'

/**
 * `prove`: open, sign the `copy-out` challenge, give the key file; only one of the fingerprints in `bound` may leave.
 * `try`: whether this password opens a copied record and its key fits. Passwords and `prf` move and are overwritten.
 */
export type CopyWork =
  | {
      readonly copy: 'prove'
      readonly source: KeySource
      readonly password: Uint8Array
      readonly prf?: Uint8Array
      readonly pin?: PinOpening
      readonly challenge: Challenge
      readonly signingTime: number
      readonly bound: readonly string[]
    }
  | { readonly copy: 'try'; readonly record: KeptRecord; readonly password: Uint8Array }

/** `keyFile`: the EncryptedPrivateKeyInfo as it will leave; `raise`: a record to store in the place of its older form. */
export type CopyDone =
  | {
      readonly kind: 'proved'
      readonly signed: Uint8Array
      readonly certificate: Uint8Array
      readonly keyFile: Uint8Array
      readonly raise: KeptRecord | null
    }
  | { readonly kind: 'tried'; readonly raise: KeptRecord | null }

/**
 * `opened`: whether the password was right; `certificate`: DER of a refused one that was not known before, else null;
 * `proved`: the slot's signature where a PIN opened it.
 */
export type CopyAnswer = { readonly proved: Uint8Array | null } & (
  | { readonly ok: true; readonly done: CopyDone }
  | {
      readonly ok: false
      readonly code: string
      readonly facts: Facts
      readonly opened: boolean
      readonly certificate: Uint8Array | null
    }
)
