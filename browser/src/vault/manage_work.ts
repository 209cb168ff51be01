/** What the certificate desk asks its worker, step by step, and what it hears; passwords move as bytes (security B11). */

import type { Facts } from '../pure/failure.ts'
import type { FreshPin, KeptRecord, Passkey } from './record.ts'
import type { KeySource } from './work.ts'

/** In which shape a certificate leaves: one .pfx, or the files of an NPKI folder. */
export type Shape = 'pfx' | 'pair'

/** Of the two forms of B16 the one for keeping. */
export interface Wish {
  readonly shape: Shape
  readonly strong: boolean
}

/**
 * One step. `try`: whether the password opens it and the key fits. `change`: the same key under a new password, which
 * the worker holds until `confirm` has opened what was read back. `export`: files, read back before they are offered.
 * `import`: a record to keep. `passkey`, `pin`: the record with a slot more, opened by it once.
 */
export type ManageStep =
  | { readonly manage: 'try'; readonly source: KeySource; readonly password: Uint8Array }
  | { readonly manage: 'change'; readonly source: KeySource; readonly password: Uint8Array; readonly fresh: Uint8Array }
  | { readonly manage: 'confirm'; readonly record: KeptRecord }
  | { readonly manage: 'export'; readonly source: KeySource; readonly password: Uint8Array; readonly wish: Wish }
  | { readonly manage: 'import'; readonly source: KeySource; readonly password: Uint8Array }
  | { readonly manage: 'passkey'; readonly source: KeySource; readonly password: Uint8Array; readonly passkey: Passkey }
  | { readonly manage: 'pin'; readonly source: KeySource; readonly password: Uint8Array; readonly pin: FreshPin }

/** A file to save. */
export interface MadeFile {
  readonly name: 'pfx' | 'signCert.der' | 'signPri.key' | 'kmCert.der' | 'kmPri.key'
  readonly bytes: Uint8Array
}

/**
 * What a step gives. `raise`: a record to store in the place of its older form; `random`: whether R is there;
 * `more`: whether there is another key (for encryption) beside the one for signing.
 */
export type ManageDone =
  | { readonly kind: 'tried'; readonly certificate: Uint8Array; readonly random: boolean; readonly raise: KeptRecord | null }
  | { readonly kind: 'changed'; readonly record: KeptRecord }
  | { readonly kind: 'confirmed' }
  | { readonly kind: 'slotted'; readonly record: KeptRecord }
  | { readonly kind: 'files'; readonly certificate: Uint8Array; readonly files: readonly MadeFile[]; readonly raise: KeptRecord | null }
  | { readonly kind: 'record'; readonly record: KeptRecord; readonly more: boolean }

/** `opened`: whether the password was right; `certificate`: DER of one that was not known before, else null. */
export type ManageAnswer =
  | { readonly ok: true; readonly done: ManageDone }
  | {
      readonly ok: false
      readonly code: string
      readonly facts: Facts
      readonly opened: boolean
      readonly certificate: Uint8Array | null
    }
