/**
 * 간편비밀번호 in this frame (security B8): what a typed PIN becomes with the center's key, and the device key beside it.
 *
 * A PIN never leaves, nor what it becomes; the center sees a random element and signatures. The device key cannot be
 * taken out by script, which is no protection against a copied profile (B7): what protects then are the five tries.
 */

import { ed25519 } from '@noble/curves/ed25519.js'
import { Refusal } from '../pure/failure.ts'
import { blind, finalize } from '../pure/oprf.ts'
import { join, wipe } from '../pure/octets.ts'
import { type PinAct, pinText, proofText } from '../pure/pin.ts'
import { randomBytes } from '../pure/platform.ts'
import { fromBase64, toBase64 } from './base64.ts'
import type { PinLine } from './pin_line.ts'
import { type FreshPin, type KeptRecord, pinInput, pinSlot, without } from './record.ts'
import { forgetPinKey, keepPinKey, pinKeyOf, recordOf, replace } from './store.ts'
import type { PinOpening } from './work.ts'

/** For how long a person who is in already waits for the center to hear that the try was right. */
const PROOF_MS = 4_000

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** One try: what it became, to be moved to the worker, and what the center says of it. */
interface Try {
  readonly record: KeptRecord
  readonly handle: string
  readonly output: Uint8Array
  readonly number: number
  readonly left: number
}

/** The tries of one conversation. `center`: its origin, from the settings. */
export class PinUse {
  readonly #line: PinLine
  readonly #center: string
  #try: Try | null = null

  constructor(line: PinLine, center: string) {
    this.#line = line
    this.#center = center
  }

  /** Has a PIN stretched: a try at the center. Overwrites it. Throws Refusal; one that is gone is gone here as well. */
  async ask(record: KeptRecord, pin: Uint8Array): Promise<void> {
    const input = pinInput(record, pin)
    const { blind: scalar, element } = blind(input)
    try {
      const [handle, key] = await this.#own(record)
      const signed = await this.#signed(key, 'ask', handle, element)
      const told = await this.#line({ act: 'ask', handle, element: toBase64(element), ...signed })
      if (told.evaluated === null || told.number === null || told.left === null) throw new Refusal('outage')
      const output = finalize(input, scalar, fromBase64(told.evaluated))
      this.#try = { record, handle, output, number: told.number, left: told.left }
    } catch (failure) {
      if (failure instanceof Refusal && failure.code === 'pin-gone') await this.#forgetHere(record)
      throw failure
    } finally {
      wipe(pin, input, scalar)
    }
  }

  /** Forgets a try that came to nothing: what is typed next counts alone. */
  drop(): void {
    if (this.#try !== null) wipe(this.#try.output)
    this.#try = null
  }

  /** For the worker, once; its bytes move. */
  opening(): { readonly pin?: PinOpening } {
    const found = this.#try
    if (found === null) return {}
    return { pin: { output: found.output, proof: proofText(this.#center, found.handle, found.number) } }
  }

  /** Tells the center that the try opened, so that it is forgiven; where that does not arrive, the next one's does. */
  async proved(signature: Uint8Array | null): Promise<void> {
    const found = this.#try
    if (found === null || signature === null) return
    this.#try = null
    const { handle, number } = found
    const told = this.#line({ act: 'proved', handle, number, signature: toBase64(signature) }).catch(() => undefined)
    // The page hands it on also when this frame is gone by then.
    await Promise.race([told, new Promise((resolve) => setTimeout(resolve, PROOF_MS))])
  }

  /** The try did not open: how many are left; after the last one it is gone, here and there. */
  async missed(): Promise<number> {
    const found = this.#try
    this.#try = null
    if (found === null) return 0
    if (found.left === 0) await this.forget(found.record)
    return found.left
  }

  /** What a new PIN becomes, and a device key kept for it. Overwrites it. Throws Refusal, CannotKeep. */
  async fresh(record: KeptRecord, pin: Uint8Array): Promise<FreshPin> {
    const input = pinInput(record, pin)
    const { blind: scalar, element } = blind(input)
    try {
      const pair = await crypto.subtle.generateKey(ECDSA, false, ['sign', 'verify'])
      const device = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
      const seed = randomBytes(32)
      const proves = ed25519.getPublicKey(seed)
      const signed = await this.#signed(pair.privateKey, 'set', null, join(element, proves))
      const fields = { element: toBase64(element), device: toBase64(device), proves: toBase64(proves) }
      const told = await this.#line({ act: 'set', ...fields, ...signed })
      if (told.handle === null || told.evaluated === null) throw new Refusal('outage')
      await keepPinKey(told.handle, pair.privateKey)
      return { handle: told.handle, output: finalize(input, scalar, fromBase64(told.evaluated)), seed }
    } finally {
      wipe(pin, input, scalar)
    }
  }

  /** Takes a record's PIN away: at the center where it can be reached, and here. Gives the record as it stands now. */
  async forget(record: KeptRecord): Promise<KeptRecord> {
    const slot = pinSlot(record)
    if (slot !== null) await this.abandon(slot.handle)
    return this.#forgetHere(record)
  }

  /** Has the center's key of a handle deleted, and the device key with it. */
  async abandon(handle: string): Promise<void> {
    const key = await pinKeyOf(handle)
    if (key !== null) {
      try {
        await this.#line({ act: 'remove', handle, ...(await this.#signed(key, 'remove', handle, new Uint8Array(0))) })
      } catch (failure) {
        // Without this browser's half it opens nothing, and the center lets it go by itself in time.
        if (!(failure instanceof Refusal)) throw failure
      }
    }
    await forgetPinKey(handle)
  }

  async #forgetHere({ id }: KeptRecord): Promise<KeptRecord> {
    const record = await recordOf(id)
    if (record === null) throw new Refusal('record-damaged')
    const slot = pinSlot(record)
    const bare = without(record, 'pin')
    if (slot !== null && (await replace(bare))) await forgetPinKey(slot.handle)
    return bare
  }

  async #own(record: KeptRecord): Promise<[string, CryptoKey]> {
    const slot = pinSlot(record)
    const key = slot === null ? null : await pinKeyOf(slot.handle)
    if (slot === null || key === null) throw new Refusal('pin-gone')
    return [slot.handle, key]
  }

  async #signed(key: CryptoKey, act: PinAct, handle: string | null, body: Uint8Array): Promise<{ nonce: string; signature: string }> {
    const { nonce } = await this.#line({ act: 'challenge' })
    if (nonce === null) throw new Refusal('outage')
    const signed = pinText({ act, origin: this.#center, nonce, handle, body })
    const signature = await crypto.subtle.sign(ECDSA, key, new Uint8Array(signed))
    return { nonce, signature: toBase64(new Uint8Array(signature)) }
  }
}
