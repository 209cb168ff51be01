/**
 * A certificate in the making: what the vault keeps from ⑤ until the authority has its confirmation (security B10).
 *
 * Written before anything is sent, so that after any interruption the password alone goes on, with the same bytes. The
 * key file, and what the center told (인가코드 and the person's number), are sealed under a key that a password slot
 * opens; what was sent is kept as it was sent. Associated data: what it is, record id, flow, SHA-256 of the key.
 * Of a renewal the old key lies beside it, opened and sealed under the same: it signs whatever is still to be said.
 */

import { Refusal } from '../pure/failure.ts'
import type { Exchange } from '../pure/cmp/exchange.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import { same, toHex, wipe } from '../pure/octets.ts'
import { fromUtf8, type Randomness, randomBytes, utf8 } from '../pure/platform.ts'
import { type Told, toldMessage } from './renew_messages.ts'
import { countable, open, openSlot, passwordSlot, type PasswordSlot, ROUNDS, seal, type Sealed } from './sealing.ts'

export const DRAFT_VERSION = 1
const DAY_MS = 86_400_000

/**
 * The message that was made last. `exchange`: what its answer is measured by; `why`: of a `reject`, the code for it.
 */
export interface Sent {
  readonly what: 'ir' | 'kur' | 'pollReq' | 'certConf' | 'reject'
  readonly bytes: Uint8Array
  readonly exchange: Exchange
  readonly why: string | null
}

/** What is renewed. `key`: its opened PKCS#8, sealed; `record`: the kept record it is in, null where files hold it. */
export interface Old {
  readonly certificate: Uint8Array
  readonly key: Sealed
  readonly record: string | null
}

/** The same, opened: `pkcs8` is overwritten by whoever opened it. */
export interface OldKey {
  readonly certificate: Uint8Array
  readonly pkcs8: Uint8Array
  readonly record: string | null
}

/** `flow`, `id`: 32 lower hex; `spki`: 64 lower hex; `created`: milliseconds since 1970 by this device. */
export interface Draft {
  readonly version: number
  readonly flow: string
  readonly id: string
  readonly spki: string
  readonly created: number
  readonly slot: PasswordSlot
  readonly key: Sealed
  /** Of a renewal alone. */
  readonly old?: Old
  /** The `registered` or `measured` object, sealed; null before ⑥. */
  readonly codes: Sealed | null
  readonly sent: Sent | null
}

/** The password does not open it: `wrong-password`; it is not as it was written: `draft-damaged`. */
export class DraftRefused extends Refusal {
  constructor(code: 'wrong-password' | 'draft-damaged') {
    super(code)
    this.name = 'DraftRefused'
  }
}

/** A new draft of an encrypted key file. The caller overwrites the password. */
export async function begin(
  about: Pick<Draft, 'flow' | 'spki' | 'created'>,
  keyFile: Uint8Array,
  password: Uint8Array,
  rounds: number = ROUNDS,
  random: Randomness = randomBytes,
  old: OldKey | null = null,
): Promise<Draft> {
  const bare = { version: DRAFT_VERSION, id: toHex(random(16)), ...about }
  const dek = random(32)
  try {
    const slot = await passwordSlot(dek, password, bound('slot', bare), rounds, random)
    const made = { ...bare, slot, key: await seal(dek, bound('key', bare), keyFile, random), codes: null, sent: null }
    return old === null ? made : { ...made, old: await sealedOld(dek, bare, old, random) }
  } finally {
    wipe(dek)
  }
}

async function sealedOld(dek: Uint8Array, bare: Bare, { certificate, pkcs8, record }: OldKey, random: Randomness): Promise<Old> {
  return { certificate, record, key: await seal(dek, boundOld(bare, certificate), pkcs8, random) }
}

/** An opened draft. `keyFile` is still encrypted by the certificate's password. `wipe()` when done. */
export class Opened {
  readonly draft: Draft
  readonly keyFile: Uint8Array
  readonly codes: Told | null
  readonly old: OldKey | null
  readonly #dek: Uint8Array

  constructor(draft: Draft, dek: Uint8Array, keyFile: Uint8Array, codes: Told | null, old: OldKey | null) {
    this.draft = draft
    this.#dek = dek
    this.keyFile = keyFile
    this.codes = codes
    this.old = old
  }

  /** The draft with what the center told. */
  async registered(codes: Told, random: Randomness = randomBytes): Promise<Draft> {
    const plain = utf8(JSON.stringify(codes))
    try {
      const sealed = await seal(this.#dek, bound('codes', this.draft), plain, random)
      return { ...this.draft, codes: sealed }
    } finally {
      wipe(plain)
    }
  }

  /** A copy of the key that it is sealed under, for the next step of the same operation. */
  key(): Uint8Array {
    return this.#dek.slice()
  }

  wipe(): void {
    wipe(this.#dek)
    if (this.old !== null) wipe(this.old.pkcs8)
  }
}

/** Opens a draft by its password. Throws DraftRefused. */
export async function openDraft(draft: Draft, password: Uint8Array): Promise<Opened> {
  if (draft.version !== DRAFT_VERSION || !countable(draft.slot)) throw new DraftRefused('draft-damaged')
  const dek = await openSlot(draft.slot, password, bound('slot', draft))
  if (dek === null) throw new DraftRefused('wrong-password')
  return openWith(draft, dek)
}

/** Opens a draft by the key that it is sealed under, which the result takes over. Throws DraftRefused. */
export async function openWith(draft: Draft, dek: Uint8Array): Promise<Opened> {
  const keyFile = await open(dek, bound('key', draft), draft.key)
  const codes = draft.codes === null ? null : await open(dek, bound('codes', draft), draft.codes)
  const old = draft.old === undefined ? null : await openedOld(dek, draft, draft.old)
  if (keyFile === null || (draft.codes !== null && codes === null)) throw new DraftRefused('draft-damaged')
  return new Opened(draft, dek, keyFile, codes === null ? null : toldMessage(JSON.parse(fromUtf8(codes))), old)
}

async function openedOld(dek: Uint8Array, draft: Draft, { certificate, key, record }: Old): Promise<OldKey> {
  const pkcs8 = await open(dek, boundOld(draft, certificate), key)
  if (pkcs8 === null) throw new DraftRefused('draft-damaged')
  return { certificate, pkcs8, record }
}

type Bare = Pick<Draft, 'version' | 'id' | 'flow' | 'spki'>

function bound(what: 'key' | 'slot' | 'codes', { version, id, flow, spki }: Bare): Uint8Array {
  return utf8(`ingam/vault-draft/${version}\n${what}\n${id}\n${flow}\n${spki}\n`)
}

function boundOld({ version, id, flow, spki }: Bare, certificate: Uint8Array): Uint8Array {
  return utf8(`ingam/vault-draft/${version}\nold\n${id}\n${flow}\n${spki}\n${toHex(sha256(certificate))}\n`)
}

/** Whether two drafts hold the same: what is read back must equal what was written. */
export function sameDraft(one: Draft, other: Draft): boolean {
  const [left, right] = [partsOf(one), partsOf(other)]
  return left.length === right.length && left.every((part, at) => same(part, right[at]!))
}

function partsOf({ slot, key, codes, sent, version, flow, id, spki, created, old }: Draft): Uint8Array[] {
  const renews = old === undefined ? [] : [old.certificate, old.key.nonce, old.key.sealed]
  const said = JSON.stringify([version, flow, id, spki, created, slot.rounds, sent?.what, sent?.exchange, sent?.why, old?.record])
  const sealed = [slot.salt, slot.nonce, slot.sealed, key.nonce, key.sealed]
  return [utf8(said), ...sealed, ...renews, ...(codes === null ? [] : [codes.nonce, codes.sealed]), ...(sent === null ? [] : [sent.bytes])]
}

/**
 * Whether a draft of another flow is of no more use: nothing was sent and a day is over, or the codes have run out.
 *
 * An authority revokes by itself what was issued and never confirmed (security D3, D9).
 */
export function outlived(draft: Draft, now: number): boolean {
  const age = now - draft.created
  return age > (draft.sent === null ? DAY_MS : 14 * DAY_MS)
}
