/** What the window asks the worker of an issue, step by step, and what it hears; bytes and codes only (security B11). */

import type { AuthorityTexts } from '../pure/cmp/refusal.ts'
import type { Facts } from '../pure/failure.ts'
import type { Draft } from './draft.ts'
import type { KeptRecord, Passkey } from './record.ts'
import type { Told } from './renew_messages.ts'
import type { KeySource } from './work.ts'

/** By what a certificate is measured; DER and texts of the `issue` message. `at`: milliseconds by the center's clock. */
export interface Measure {
  readonly encryption: Uint8Array
  readonly anchors: readonly Uint8Array[]
  readonly policies: readonly string[]
  readonly holder: string
  readonly at: number
}

/**
 * One step. `make` and `open` bring the password, which stays in the worker until `end`; every other step opens what it
 * needs with it and overwrites it again. `strong`: the backup form of B16 instead of the interoperable one; a backup
 * from the certificate window brings the password itself.
 *
 * `renewal` in the place of `make`: `source` is opened by `password`, and only one of `among` (fingerprints) is renewed;
 * `fresh`: the new key's own password, null where it is the same. `idn` of `receive`: what came beside its certificate.
 */
export type IssueStep =
  | { readonly step: 'make'; readonly flow: string; readonly created: number; readonly password: Uint8Array }
  | {
      readonly step: 'renewal'
      readonly flow: string
      readonly created: number
      readonly source: KeySource
      readonly among: readonly string[]
      readonly password: Uint8Array
      readonly fresh: Uint8Array | null
    }
  | { readonly step: 'open'; readonly draft: Draft; readonly password: Uint8Array }
  | { readonly step: 'check'; readonly draft: Draft }
  | { readonly step: 'request'; readonly draft: Draft; readonly registered: Told; readonly measure: Measure }
  | {
      readonly step: 'receive'
      readonly draft: Draft
      readonly message: Uint8Array
      readonly idn: string | null
      readonly measure: Measure
    }
  | { readonly step: 'poll'; readonly draft: Draft; readonly measure: Measure }
  | { readonly step: 'confirm'; readonly draft: Draft; readonly record: KeptRecord; readonly measure: Measure }
  | { readonly step: 'renew'; readonly draft: Draft; readonly record: KeptRecord | null; readonly measure: Measure }
  | { readonly step: 'conclude'; readonly draft: Draft; readonly message: Uint8Array; readonly measure: Measure }
  | { readonly step: 'backup'; readonly record: KeptRecord; readonly strong: boolean; readonly password?: Uint8Array }
  | { readonly step: 'passkey'; readonly record: KeptRecord; readonly passkey: Passkey }

/** What a step gives. `offered`: a certificate that passed every check, sealed with its key and opened once. */
export type IssueDone =
  | { readonly kind: 'opened' }
  | { readonly kind: 'draft'; readonly draft: Draft }
  | { readonly kind: 'offered'; readonly record: KeptRecord; readonly draft: Draft }
  | { readonly kind: 'waiting'; readonly seconds: number; readonly draft: Draft }
  | { readonly kind: 'concluded' }
  | { readonly kind: 'pfx'; readonly pfx: Uint8Array }
  | { readonly kind: 'record'; readonly record: KeptRecord }

/** What a failed step says. `failInfo`, `texts`: of a proven refusal of the authority, else null. */
export interface StepFailure {
  readonly code: string
  readonly facts: Facts
  readonly failInfo: readonly string[] | null
  readonly texts: AuthorityTexts | null
}

export type IssueAnswer = { readonly ok: true; readonly done: IssueDone } | ({ readonly ok: false } & StepFailure)
