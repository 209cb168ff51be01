/**
 * The sending device's own part: the choice, the password or the passkey, the signature, and what will leave (A19, B11).
 *
 * The password goes to the worker as bytes; what comes back is a signature and the key file, which is still encrypted.
 */

import type { Payload } from '../pure/channel/frames.ts'
import { Refusal } from '../pure/failure.ts'
import { DIGITS } from '../pure/pin.ts'
import { type Asked, asked, expired, instantOf, sameAct } from './asked.ts'
import { toBase64 } from './base64.ts'
import type { ChallengeMessage } from './challenge_message.ts'
import { Choosing } from './copy_choosing.ts'
import type { Event } from './copy_machine.ts'
import type { CopyView } from './copy_view.ts'
import type { CopyAnswer } from './copy_work.ts'
import { type Entry, passkeyOf, type Picked, withPinOf } from './entries.ts'
import { copyDone } from './labour.ts'
import { askPasskey } from './passkey.ts'
import type { PinUse } from './pin.ts'
import { replace } from './store.ts'
import { TRIES } from './tries.ts'
import { standingToCopy } from './standing.ts'

/** What the center gets to see of it. */
export interface Proof {
  readonly nonce: string
  readonly signed: string
}

export class CopySender {
  readonly #center: string
  readonly #bound: readonly string[]
  readonly #view: CopyView
  readonly #on: (event: Event) => void
  readonly #pin: PinUse
  readonly #choosing: Choosing
  #request: Asked
  /** A challenge is good for one signature. */
  #spent = false
  #asking = false
  #prf: Uint8Array | null = null
  #proof: Proof | null = null
  #payload: Payload | null = null

  /** `request`: the checked challenge; `bound`: fingerprints that may leave; `pin`: tries of 간편비밀번호. */
  constructor(
    center: string,
    request: Asked,
    bound: readonly string[],
    view: CopyView,
    on: (event: Event) => void,
    pin: PinUse,
  ) {
    this.#pin = pin
    this.#center = center
    this.#bound = bound
    this.#view = view
    this.#on = on
    this.#request = request
    this.#choosing = new Choosing((entry) => standingToCopy(entry, bound, this.#now()))
  }

  async begin(): Promise<void> {
    await this.#choosing.begin()
    this.#choosing.draw(this.#view.choose)
  }

  choose(entryId: string): void {
    this.#choosing.choose(entryId)
    this.#view.choose.mark(entryId)
  }

  bring(picked: Promise<readonly Picked[]>): void {
    void this.#choosing.bring(picked, this.#view.choose)
  }

  /** What leaves once both sides have agreed. */
  get payload(): Payload {
    if (this.#payload === null) throw new Refusal('defect')
    return this.#payload
  }

  /** The signature, to be told once. */
  proof(): Proof {
    const proof = this.#proof
    if (proof === null) throw new Refusal('defect')
    this.#proof = null
    return proof
  }

  /** [다음]: a passkey is asked first, while the press still counts as one. */
  async confirm(): Promise<void> {
    const { choose: screen, say } = this.#view
    const line = this.#choosing.chosen()
    if (this.#asking) return
    if (line === null) return screen.missing()
    if (!line.standing.usable) return screen.tell(screen.reason(line))
    const slot = screen.empty() ? passkeyOf(line.entry) : null
    if (slot === null && screen.byPin) return this.#confirmByPin(line.entry)
    const rest = this.#choosing.rest(line.entry)
    if (slot === null && rest > 0) return screen.wrong(say('resting', { m: rest }))
    if (slot === null && screen.empty()) return screen.wrong(say('password-missing'))
    if (slot !== null && !(await this.#askPasskey(() => askPasskey(slot)))) return
    if (slot === null) this.#prf = null
    this.#pin.drop()
    this.#on({ on: 'chosen', stale: this.#spent || expired(this.#request, performance.now()) })
  }

  /** 간편비밀번호: the center's key is asked for it first (B8). */
  async #confirmByPin(entry: Entry): Promise<void> {
    const { choose: screen, say } = this.#view
    const [record, typed] = [withPinOf(entry), screen.takePin()]
    if (record === null || typed.length !== DIGITS) return screen.wrong(say('pin-digits'))
    this.#asking = true
    screen.busy(say('working'))
    try {
      await this.#pin.ask(record, typed)
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      screen.busy(null)
      if (failure.code === 'pin-gone') await this.#looked()
      return screen.alert(failure.code, failure.facts)
    } finally {
      this.#asking = false
    }
    this.#on({ on: 'chosen', stale: this.#spent || expired(this.#request, performance.now()) })
  }

  async #wrongPin(): Promise<void> {
    const { choose: screen, say } = this.#view
    const left = await this.#pin.missed()
    if (left === 0) await this.#looked()
    this.#on({ on: 'locked' })
    if (left === 0) screen.alert('pin-locked')
    else screen.wrong(say('pin-wrong', { n: left }))
  }

  /** What this browser keeps, anew. */
  async #looked(): Promise<void> {
    await this.#choosing.look()
    this.#choosing.draw(this.#view.choose)
  }

  async #askPasskey(ask: () => Promise<Uint8Array>): Promise<boolean> {
    const { choose: screen, say } = this.#view
    this.#asking = true
    screen.busy(say('passkey-working'))
    try {
      this.#prf = await ask()
      return true
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      screen.busy(null)
      screen.alert(failure.code)
      return false
    } finally {
      this.#asking = false
    }
  }

  /** A fresh challenge counts only for the act that the person saw. */
  renewed(challenge: ChallengeMessage): void {
    const fresh = asked(challenge, this.#center, performance.now())
    if (!sameAct(fresh, this.#request)) throw new Refusal('challenge-body')
    this.#request = fresh
    this.#spent = false
    this.#on({ on: 'renewed' })
  }

  renewing(): void {
    this.#view.choose.busy(this.#view.say('working'))
  }

  async prove(): Promise<void> {
    const { choose: screen, say } = this.#view
    const entry = this.#choosing.chosen()?.entry
    if (entry === undefined || entry.source === null) return this.#on({ on: 'broke', trouble: { code: 'defect', facts: {} } })
    screen.busy(say('working'))
    const prf = this.#prf
    this.#prf = null
    const answer = await copyDone({
      copy: 'prove',
      source: entry.source,
      password: screen.take(),
      challenge: this.#request.challenge,
      signingTime: this.#now().getTime(),
      bound: this.#bound,
      ...(prf === null ? {} : { prf }),
      ...this.#pin.opening(),
    })
    await this.#pin.proved(answer.proved)
    if (!answer.ok && answer.code === 'wrong-pin') return this.#wrongPin()
    await this.#concluded(entry, answer)
  }

  async #concluded(entry: Entry, answer: CopyAnswer): Promise<void> {
    if (!answer.ok) return this.#refused(entry, answer)
    const { done } = answer
    if (done.kind !== 'proved') throw new Refusal('defect')
    this.#choosing.right(entry)
    this.#choosing.used(done.certificate)
    if (done.raise !== null) await replace(done.raise)
    this.#payload = { certificate: done.certificate, keyFile: done.keyFile }
    this.#proof = { nonce: this.#request.challenge.nonce, signed: toBase64(done.signed) }
    this.#spent = true
    this.#on({ on: 'proved' })
  }

  #refused(entry: Entry, { code, facts, opened, certificate }: Extract<CopyAnswer, { ok: false }>): void {
    const { choose: screen, say } = this.#view
    if (code === 'wrong-password') {
      const { wrong, last } = this.#choosing.wrong(entry)
      this.#on({ on: 'locked' })
      return screen.wrong(say(last ? 'wrong-last' : 'wrong', { n: wrong, max: TRIES }))
    }
    if (opened) this.#choosing.right(entry)
    if (certificate !== null && entry.certificate === null) {
      this.#choosing.learn(entry, certificate)
      this.#choosing.draw(screen)
    }
    this.#on({ on: 'broke', trouble: { code, facts } })
  }

  #now(): Date {
    return instantOf(this.#request, performance.now())
  }
}
