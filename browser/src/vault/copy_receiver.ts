/**
 * The receiving device's own part: whether it can keep, what came, keeping it, and the password tried at once (B12, C13, C14).
 */

import type { Payload } from '../pure/channel/frames.ts'
import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { examined, keptBack } from './copy_keeping.ts'
import type { Arrival, Event } from './copy_machine.ts'
import type { CopyView } from './copy_view.ts'
import { copyDone } from './labour.ts'
import { rememberUsed } from './last_used.ts'
import { localStorageOrNone } from './local.ts'
import type { KeptRecord } from './record.ts'
import { askToPersist, canKeep, replace } from './store.ts'
import { afterRight, afterWrong, loadCounts, restOf, saveCounts, TRIES } from './tries.ts'

export class CopyReceiver {
  readonly #view: CopyView
  readonly #on: (event: Event) => void
  #persisted = false
  #payload: Payload | null = null
  #digest: Uint8Array | null = null

  constructor(view: CopyView, on: (event: Event) => void) {
    this.#view = view
    this.#on = on
  }

  /** Before any number is shown: whether this browser keeps what is written, and whether it promises to. */
  async ready(): Promise<boolean> {
    const can = await canKeep()
    this.#persisted = can && (await askToPersist())
    return can
  }

  deliver(payload: Payload): void {
    this.#payload = payload
    this.#on({ on: 'delivered' })
  }

  async examine(): Promise<void> {
    await this.#trying(async () => this.#on({ on: 'examined', arrival: await examined(this.#came()) }))
  }

  async store(arrival: Arrival): Promise<void> {
    await this.#trying(async () => {
      const { record, digest } = await keptBack(this.#came(), arrival.twins)
      this.#digest = digest
      rememberUsed(fingerprintOf(record))
      this.#view.result = { certificate: record.certificate, kept: this.#persisted }
      this.#on({ on: 'stored', record })
    })
  }

  /** Digest of what was read back. */
  get digest(): Uint8Array {
    if (this.#digest === null) throw new Refusal('defect')
    return this.#digest
  }

  /** 비밀번호 확인: the right one also seals the record for good (B6). The bytes move to the worker. */
  async attempt(record: KeptRecord, password: Uint8Array): Promise<void> {
    const { copied: screen, say } = this.#view
    const [storage, name] = [localStorageOrNone(), fingerprintOf(record)]
    const rest = restOf(loadCounts(storage), name, Date.now())
    if (rest > 0) return screen?.told(say('resting', { m: Math.ceil(rest / 60_000) }), 'password')
    screen?.busy(true)
    const answer = await copyDone({ copy: 'try', record, password })
    screen?.busy(false)
    if (!answer.ok && answer.code === 'wrong-password') {
      const { counts, wrong } = afterWrong(loadCounts(storage), name, Date.now())
      saveCounts(storage, counts)
      return screen?.told(say(wrong >= TRIES ? 'wrong-last' : 'wrong', { n: wrong, max: TRIES }), 'password')
    }
    saveCounts(storage, afterRight(loadCounts(storage), name))
    if (!answer.ok) return screen?.told(this.#view.sentence(answer.code, answer.facts), 'failure')
    // Where it cannot be written the record opens as before, and is sealed the next time.
    const raised = answer.done.raise
    if (raised !== null && (await replace(raised))) this.#on({ on: 'changed', record: raised })
    screen?.told(say('copy-tried'), 'good')
  }

  #came(): Payload {
    if (this.#payload === null) throw new Refusal('defect')
    return this.#payload
  }

  async #trying(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      this.#on({ on: 'broke', trouble: { code: failure.code, facts: failure.facts } })
    }
  }
}

function fingerprintOf({ certificate }: KeptRecord): string {
  return new Certificate(certificate).fingerprintHex
}
