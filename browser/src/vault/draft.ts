/**
 * A certificate in the making: what the vault keeps from ⑤ until the authority has its confirmation (security B10).
 *
 * Written before anything is sent, so that after any interruption the password alone goes on, with the same bytes. The
 * key file, and what the center told (인가코드 and the person's number), are sealed under a key that a password slot
 * opens; what was sent is kept as it was sent. Associated data: what it is, record id, flow, SHA-256 of the key.
 */

import { Refusal } from '../pure/failure.ts'
import type { Exchange } from '../pure/cmp/exchange.ts'
import { same, toHex, wipe } from '../pure/octets.ts'
import { fromUtf8, type Randomness, randomBytes, utf8 } from '../pure/platform.ts'
import { type RegisteredMessage, registeredMessage } from './issue_messages.ts'
import { countable, open, openSlot, passwordSlot, type PasswordSlot, ROUNDS, seal, type Sealed } from './sealing.ts'

export const DRAFT_VERSION = 1
const DAY_MS = 86_400_000

/**
 * The message that was made last. `exchange`: what its answer is measured by; `why`: of a `reject`, the code for it.
 */
export interface Sent {
  readonly what: 'ir' | 'pollReq' | 'certConf' | 'reject'
  readonly bytes: Uint8Array
  readonly exchange: Exchange
  readonly why: string | null
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
  /** The `registered` object, sealed; null before ⑥. */
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
): Promise<Draft> {
  const bare = { version: DRAFT_VERSION, id: toHex(random(16)), ...about }
  const dek = random(32)
  try {
    const slot = await passwordSlot(dek, password, bound('slot', bare), rounds, random)
    return { ...bare, slot, key: await seal(dek, bound('key', bare), keyFile, random), codes: null, sent: null }
  } finally {
    wipe(dek)
  }
}

/** An opened draft. `keyFile` is still encrypted by the certificate's password. `wipe()` when done. */
export class Opened {
  readonly draft: Draft
  readonly keyFile: Uint8Array
  readonly codes: RegisteredMessage | null
  readonly #dek: Uint8Array

  constructor(draft: Draft, dek: Uint8Array, keyFile: Uint8Array, codes: RegisteredMessage | null) {
    this.draft = draft
    this.#dek = dek
    this.keyFile = keyFile
    this.codes = codes
  }

  /** The draft with what the center told. */
  async registered(codes: RegisteredMessage, random: Randomness = randomBytes): Promise<Draft> {
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
  if (keyFile === null || (draft.codes !== null && codes === null)) throw new DraftRefused('draft-damaged')
  return new Opened(draft, dek, keyFile, codes === null ? null : registeredMessage(JSON.parse(fromUtf8(codes))))
}

type Bare = Pick<Draft, 'version' | 'id' | 'flow' | 'spki'>

function bound(what: 'key' | 'slot' | 'codes', { version, id, flow, spki }: Bare): Uint8Array {
  return utf8(`ingam/vault-draft/${version}\n${what}\n${id}\n${flow}\n${spki}\n`)
}

/** Whether two drafts hold the same: what is read back must equal what was written. */
export function sameDraft(one: Draft, other: Draft): boolean {
  const [left, right] = [partsOf(one), partsOf(other)]
  return left.length === right.length && left.every((part, at) => same(part, right[at]!))
}

function partsOf({ slot, key, codes, sent, version, flow, id, spki, created }: Draft): Uint8Array[] {
  const said = JSON.stringify([version, flow, id, spki, created, slot.rounds, sent?.what, sent?.exchange, sent?.why])
  const sealed = [slot.salt, slot.nonce, slot.sealed, key.nonce, key.sealed]
  return [utf8(said), ...sealed, ...(codes === null ? [] : [codes.nonce, codes.sealed]), ...(sent === null ? [] : [sent.bytes])]
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
