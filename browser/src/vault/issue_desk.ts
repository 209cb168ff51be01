/**
 * The conduct of an issue: the machine moves, this does what it asks for, and what comes of it moves it on (B10, B11).
 *
 * Everything is stored, read back and opened before anything is sent that depends on it. One window at a time works on
 * a flow. The password goes to the worker as bytes and is asked for again where the worker rested for long.
 */

import { sha256 } from '@noble/hashes/sha2.js'
import { Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { toHex } from '../pure/octets.ts'
import { fromBase64, toBase64 } from './base64.ts'
import type { Tell } from './channel.ts'
import type { Draft } from './draft.ts'
import { advance, type Effect, type Event, type State, type Trouble } from './issue_machine.ts'
import type { IssueMessage } from './issue_messages.ts'
import type { IssueDone, IssueStep, Measure } from './issue_steps.ts'
import { IssueView } from './issue_view.ts'
import { Offers, StepFailed } from './issue_offers.ts'
import { knownRoots } from './known_roots.ts'
import { type IssueWorker, issueWorker } from './labour.ts'
import { rememberUsed } from './last_used.ts'
import { localStorageOrNone } from './local.ts'
import type { FromCenter, FromVault, Lang } from './messages.ts'
import { canUsePasskey } from './passkey.ts'
import type { KeptRecord } from './record.ts'
import { newPasswordForm, type NewPasswordEvents, type NewPasswordForm } from './screens/new_password.ts'
import type { Origins } from './settings.ts'
import {
  askToPersist,
  canKeep,
  clearDrafts,
  draftOf,
  recordOf,
  removeDraft,
  store,
  storeDraft,
} from './store.ts'
import { type Say, saying } from './words.ts'
import { afterRight, afterWrong, loadCounts, restOf, saveCounts, TRIES } from './tries.ts'

const LOCK_WAIT_MS = 2_500
/** As long as an interrupted flow may be resumed: then the password is asked for again. */
const REST_MS = 10 * 60_000
const POLL_MOST_S = 60

/** What an issue and a renewal do differently. */
export interface Conduct {
  say(lang: Lang): Say
  /** The first screen. */
  form(say: Say, events: NewPasswordEvents): NewPasswordForm
  /** What makes the key. The password moves away. */
  step(flow: string, created: number, password: Uint8Array): IssueStep
  /** What the center hears once it is kept. */
  made(id: string, draft: Draft): FromVault
  /** What a failure of the making means to the person. */
  trouble(trouble: Trouble): Trouble
  /** The authority has its confirmation. */
  ended(draft: Draft): Promise<void>
}

const ISSUE: Conduct = {
  say: saying,
  form: newPasswordForm,
  step: (flow, created, password) => ({ step: 'make', flow, created, password }),
  made: (id, draft) => ({ kind: 'made', id, spki: draft.spki }),
  trouble: (trouble) => trouble,
  ended: () => Promise.resolve(),
}

/** One issue, from the `issue` message to its end. */
export class IssueDesk {
  readonly #tell: Tell
  readonly #id: string
  readonly #issue: IssueMessage
  readonly #view: IssueView
  readonly #offers: Offers
  readonly #conduct: Conduct
  readonly #arrived = { wall: Date.now(), steady: performance.now() }
  #state: State = { at: 'opening' }
  #worker: IssueWorker | null = null
  #rest: ReturnType<typeof setTimeout> | null = null
  #release: (() => void) | null = null
  /** What was typed, on its way to the worker: taken before the next screen empties the field. */
  #typedBytes: Uint8Array | null = null
  #renewed = false
  #closed = false

  /** Opens it. Throws Refusal `challenge-origin` (another center asks), `issue-anchors`, and then shows nothing. */
  constructor(origins: Origins, tell: Tell, id: string, issue: IssueMessage, conduct: Conduct = ISSUE) {
    if (issue.origin !== origins.center) throw new Refusal('challenge-origin')
    if (!knownRoots(issue.anchors, origins.roots)) throw new Refusal('issue-anchors')
    this.#tell = tell
    this.#id = id
    this.#conduct = conduct
    this.#issue = issue
    const profile = issue.lang === 'ko' ? issue.profile_ko : issue.profile_en
    const events = {
      chosen: () => this.#chosen(),
      typed: () => this.#typed(),
      forgotten: () => this.#on({ on: 'forgotten' }),
      again: () => this.#on({ on: 'again' }),
      retry: () => void this.#begin(),
      cancel: () => this.cancel(),
      done: () => this.cancel(),
      backup: (strong: boolean) => void this.#offers.backup(strong),
      passkey: () => void this.#offers.passkey(),
    }
    this.#view = new IssueView(issue.lang, profile, events, (height) => this.#tell({ kind: 'size', id, height }), conduct)
    const changed = (record: KeptRecord): void => this.#on({ on: 'changed', record })
    this.#offers = new Offers(this.#view, issue.lang, (step) => this.#step(step), changed)
    this.#view.draw(this.#state)
    void this.#begin()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What the center says to this conversation. */
  hear(message: FromCenter): void {
    if (message.id !== this.#id) return
    if (message.kind === 'measured') this.#on({ on: 'registered', registered: message.measured })
    if (message.kind === 'registered') this.#on({ on: 'registered', registered: message.registered })
    if (message.kind === 'carried') this.#on({ on: 'carried', message: fromBase64(message.message), idn: null })
    if (message.kind === 'brought') this.#on({ on: 'carried', message: fromBase64(message.message), idn: message.idn })
    if (message.kind === 'failed') this.#on({ on: 'failed', code: message.code })
  }

  /** The person or the center ends it. What was stored stays for a resume. */
  cancel(): void {
    this.#on({ on: 'left' })
  }

  /** Takes it away without a word, for a newer one. */
  discard(): void {
    this.#end()
  }

  async #begin(): Promise<void> {
    this.#state = { at: 'opening' }
    this.#view.draw(this.#state)
    const { flow, state: stands } = this.#issue
    const alone = await this.#alone()
    const can = await canKeep()
    this.#view.passkey = await canUsePasskey()
    await clearDrafts(flow, Date.now())
    this.#on({ on: 'opened', found: await draftOf(flow), can, alone, stands })
  }

  /** One window works on a flow; a reload waits a moment until the old document has gone. */
  #alone(): Promise<boolean> {
    const locks = (navigator as { locks?: LockManager }).locks
    if (this.#release !== null || locks === undefined) return Promise.resolve(true)
    return new Promise((resolve) => {
      const held = (): Promise<void> => {
        resolve(true)
        return new Promise((release) => (this.#release = release))
      }
      const options = { signal: AbortSignal.timeout(LOCK_WAIT_MS) }
      locks.request(`ingam-issue-${this.#issue.flow}`, options, held).catch(() => resolve(false))
    })
  }

  #on(event: Event): void {
    if (this.#closed) return
    const before = this.#state
    const { state, effects } = advance(before, event)
    this.#state = state
    if (state !== before) this.#view.draw(state)
    this.#watchRest(state)
    for (const effect of effects) void this.#do(effect)
  }

  /** Whoever leaves the phone at ⑥ for long is asked for the password again. */
  #watchRest(state: State): void {
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#rest = state.at === 'made' ? setTimeout(() => this.#on({ on: 'rested' }), REST_MS) : null
  }

  async #do(effect: Effect): Promise<void> {
    const id = this.#id
    switch (effect.do) {
      case 'make':
        return this.#trying(() => this.#make())
      case 'open':
        return this.#open(effect.draft)
      case 'request':
        return this.#trying(() => this.#request(effect))
      case 'weigh':
        return this.#trying(() => this.#weigh(effect))
      case 'drop':
        return removeDraft(this.#issue.flow)
      case 'rest':
        this.#worker?.end()
        this.#worker = null
        return
      case 'tell-made':
        return this.#tell(this.#conduct.made(id, effect.draft))
      case 'tell-carry':
        return this.#tell({ kind: 'carry', id, message: toBase64(effect.draft.sent!.bytes) })
      case 'tell-issued':
        return this.#tellIssued(effect.record, effect.kept)
      case 'tell-done':
        this.#tell({ kind: 'done', id })
        return this.#end()
      case 'tell-cancelled':
        this.#tell({ kind: 'cancelled', id })
        return this.#end()
    }
  }

  async #trying(act: () => Promise<void>): Promise<void> {
    try {
      await act()
    } catch (failure) {
      if (failure instanceof StepFailed) {
        const trouble = this.#state.at === 'making' ? this.#conduct.trouble(failure.trouble) : failure.trouble
        return this.#on({ on: 'broke', trouble, proven: failure.failInfo !== null })
      }
      if (!(failure instanceof Refusal)) throw failure
      this.#on({ on: 'broke', trouble: { code: failure.code, facts: failure.facts, texts: null }, proven: false })
    }
  }

  async #step(step: IssueStep): Promise<IssueDone> {
    this.#worker ??= issueWorker()
    const answer = await this.#worker.do(step)
    if (!answer.ok) throw new StepFailed(answer)
    return answer.done
  }

  async #draftBy(step: IssueStep): Promise<Draft> {
    const done = await this.#step(step)
    if (done.kind !== 'draft') throw new Refusal('defect')
    return done.draft
  }

  #chosen(): void {
    this.#typedBytes = this.#view.form?.take() ?? null
    this.#on({ on: 'chosen' })
  }

  /** The bytes move to the worker; none stay here. */
  #password(): Uint8Array {
    const bytes = this.#typedBytes
    this.#typedBytes = null
    if (bytes === null || bytes.length === 0) throw new Refusal('defect')
    return bytes
  }

  /** ⑤: key and R, encrypted, written, read back, opened; then the center hears of the public half. */
  async #make(): Promise<void> {
    const password = this.#password()
    this.#view.making('making')
    const made = await this.#draftBy(this.#conduct.step(this.#issue.flow, Date.now(), password))
    this.#view.making('keeping')
    const draft = await storeDraft(made)
    this.#view.making('checking')
    await this.#step({ step: 'check', draft })
    this.#on({ on: 'kept', draft })
  }

  #typed(): void {
    const { state, unlock } = { state: this.#state, unlock: this.#view.unlock }
    if (state.at !== 'resuming' || unlock === null) return
    const rest = restOf(loadCounts(localStorageOrNone()), state.draft.spki, Date.now())
    if (rest > 0) return unlock.wrong(this.#view.say('issue-resting', { m: Math.ceil(rest / 60_000) }))
    this.#typedBytes = unlock.take()
    unlock.busy(this.#view.say('issue-unlocking'))
    this.#on({ on: 'typed' })
  }

  async #open(draft: Draft): Promise<void> {
    const storage = localStorageOrNone()
    try {
      await this.#step({ step: 'open', draft, password: this.#password() })
      saveCounts(storage, afterRight(loadCounts(storage), draft.spki))
      this.#on({ on: 'unlocked', stands: this.#issue.state })
    } catch (failure) {
      this.#view.unlock?.busy(null)
      if (!(failure instanceof StepFailed)) throw failure
      const { trouble } = failure
      if (trouble.code !== 'wrong-password') return this.#on({ on: 'broke', trouble, proven: false })
      const { counts, wrong } = afterWrong(loadCounts(storage), draft.spki, Date.now())
      saveCounts(storage, counts)
      this.#on({ on: 'locked' })
      this.#view.unlock?.wrong(this.#view.say(wrong >= TRIES ? 'issue-wrong-last' : 'wrong', { n: wrong, max: TRIES }))
    }
  }

  async #request({ draft, registered }: Extract<Effect, { do: 'request' }>): Promise<void> {
    const asked = await this.#draftBy({ step: 'request', draft, registered, measure: this.#measure() })
    this.#on({ on: 'ready', draft: await storeDraft(asked) })
  }

  /** An answer, by what was sent: to a certConf or its refusal the end, to everything else a certificate or patience. */
  async #weigh({ draft, message, idn }: Extract<Effect, { do: 'weigh' }>): Promise<void> {
    const what = draft.sent?.what
    try {
      if (what === 'certConf') return await this.#conclude(draft, message)
      if (what === 'reject') return await this.#givenBack(draft, message)
      await this.#receive(draft, message, idn)
    } catch (failure) {
      if (!this.#isStale(failure)) throw failure
      this.#renewed = true
      const record = await recordOf(draft.id)
      const fresh = await this.#draftBy({ step: 'renew', draft, record, measure: this.#measure() })
      this.#on({ on: 'ready', draft: await storeDraft(fresh) })
    }
  }

  /** A message that lay too long: the authority never took it, and it is made anew, once. */
  #isStale(failure: unknown): boolean {
    return failure instanceof StepFailed && failure.failInfo?.includes('badTime') === true && !this.#renewed
  }

  async #receive(draft: Draft, message: Uint8Array, idn: string | null): Promise<void> {
    const done = await this.#step({ step: 'receive', draft, message, idn, measure: this.#measure() })
    if (done.kind === 'waiting') return this.#later(done.draft, done.seconds)
    if (done.kind === 'draft') return this.#on({ on: 'ready', draft: await storeDraft(done.draft) })
    if (done.kind !== 'offered') throw new Refusal('defect')
    await store(done.record)
    const record = await recordOf(done.record.id)
    if (record === null) throw new Refusal('cannot-keep')
    const confirming = await this.#draftBy({ step: 'confirm', draft: done.draft, record, measure: this.#measure() })
    this.#on({ on: 'ready', draft: await storeDraft(confirming) })
  }

  async #later(draft: Draft, seconds: number): Promise<void> {
    await storeDraft(draft)
    await new Promise((resolve) => setTimeout(resolve, 1000 * Math.min(Math.max(seconds, 1), POLL_MOST_S)))
    if (this.#closed) return
    const polling = await this.#draftBy({ step: 'poll', draft, measure: this.#measure() })
    this.#on({ on: 'ready', draft: await storeDraft(polling) })
  }

  async #conclude(draft: Draft, message: Uint8Array): Promise<void> {
    await this.#step({ step: 'conclude', draft, message, measure: this.#measure() })
    await this.#conduct.ended(draft)
    const record = await recordOf(draft.id)
    if (record === null) throw new Refusal('record-damaged')
    this.#offers.record = record
    this.#on({ on: 'concluded', record, kept: await askToPersist() })
  }

  /** The certificate was not what was asked for and is given back; why, is what the person reads. */
  async #givenBack(draft: Draft, message: Uint8Array): Promise<void> {
    try {
      await this.#step({ step: 'conclude', draft, message, measure: this.#measure() })
    } catch (failure) {
      if (!(failure instanceof StepFailed) || failure.failInfo === null) throw failure
    }
    this.#on({ on: 'rejected', code: draft.sent?.why ?? 'issue-refused' })
  }

  #tellIssued(record: KeptRecord, kept: boolean): void {
    const certificate = new Certificate(record.certificate)
    const fingerprint = toHex(sha256(record.certificate))
    rememberUsed(fingerprint)
    const serial = certificate.serial.toString(16)
    const notAfter = certificate.notAfter.toISOString().replace('.000Z', 'Z')
    this.#tell({ kind: 'issued', id: this.#id, fingerprint, serial, not_after: notAfter, kept })
  }

  #measure(): Measure {
    const { encryption, anchors, policies, holder } = this.#issue
    return {
      encryption: fromBase64(encryption),
      anchors: anchors.map(fromBase64),
      policies,
      holder: holder.name,
      at: this.#now(),
    }
  }

  /** By the center's clock, counted on: a phone that slept counts by its wall clock, one that was set by the steady one. */
  #now(): number {
    const wall = Date.now() - this.#arrived.wall
    const steady = performance.now() - this.#arrived.steady
    return Math.round(Date.parse(this.#issue.now) + Math.max(wall, steady))
  }

  #end(): void {
    this.#closed = true
    if (this.#rest !== null) clearTimeout(this.#rest)
    this.#worker?.end()
    this.#worker = null
    this.#release?.()
    this.#view.close()
  }
}
