/**
 * The window's conduct: what is listed and chosen, what happens on [확인], and what the center is told.
 *
 * One request at a time. A password is taken only after everything else stands, goes to the worker as bytes, and the
 * field is empty from then on. Nothing is signed that the person did not confirm for this very act.
 */

import { Certificate } from '../pure/npki/certificate.ts'
import { Refusal } from '../pure/failure.ts'
import { DIGITS } from '../pure/pin.ts'
import { toHex } from '../pure/octets.ts'
import { sha256 } from '@noble/hashes/sha2.js'
import { type Asked, asked, expired, instantOf, sameAct } from './asked.ts'
import { toBase64 } from './base64.ts'
import type { Tell } from './channel.ts'
import { readPicked } from './bringing.ts'
import { countNameOf, type Entry, entryOfRecord, fingerprintOf, merged, passkeyOf, type Picked, withPinOf } from './entries.ts'
import { backedUp } from './backing_up.ts'
import { done } from './labour.ts'
import { lastUsed, rememberUsed } from './last_used.ts'
import { localStorageOrNone } from './local.ts'
import type { ChallengeMessage } from './messages.ts'
import { askPasskey } from './passkey.ts'
import { PinUse } from './pin.ts'
import { pinLine } from './pin_line.ts'
import type { KeptRecord, PasskeySlot } from './record.ts'
import type { BackupTold } from './screens/backup.ts'
import type { Origins } from './settings.ts'
import { type Standing, standingOf, standingOfCertificate } from './standing.ts'
import { askToPersist, canKeep, kept, remove, replace, store } from './store.ts'
import { afterRight, afterWrong, loadCounts, restOf, saveCounts, TRIES } from './tries.ts'
import { View } from './view.ts'
import type { Tab } from './screens/tabs.ts'
import type { Done } from './work.ts'

const PROGRESS_AFTER_MS = 500
const RENEWAL_WAIT_MS = 15_000

/** What the answer to the center will be. */
interface Ready {
  readonly signed: string
  readonly sealed: string | null
}

/** One open window: from the first `sign` message to the answer. */
export class Desk {
  readonly #origins: Origins
  readonly #tell: Tell
  readonly #view: View
  #id: string
  #request: Asked
  #tab: Tab = 'browser'
  #files: readonly Entry[] = []
  #kept: readonly Entry[] = []
  #chosen: Record<Tab, string | null> = { browser: null, files: null, phone: null, finance: null }
  #busy = false
  #closed = false
  /** The timer that ends the wait for a fresh challenge; null when none is awaited. */
  #renewal: ReturnType<typeof setTimeout> | null = null
  /** What a passkey gave for the signature that comes next. */
  #prf: Uint8Array | null = null
  /** 간편비밀번호 of the signature that comes next. */
  readonly #pin: PinUse
  /** A finished signature that waits for the person to read a note first. */
  #ready: Ready | null = null

  /** Opens the window. Throws ChallengeRefused and then shows nothing. */
  constructor(origins: Origins, tell: Tell, id: string, message: ChallengeMessage) {
    this.#origins = origins
    this.#tell = tell
    this.#id = id
    this.#request = asked(message, origins.center, performance.now())
    this.#pin = new PinUse(pinLine(tell, () => this.#id), origins.center)
    this.#view = new View(this.#request, origins.center, {
      open: (tab) => this.#open(tab),
      choose: (entryId) => this.#choose(entryId),
      bring: (picked) => void this.#bring(picked),
      confirm: () => void this.#confirm(),
      cancel: () => this.cancel(),
      keep: (wanted) => void this.#keepAsked(wanted),
      remove: () => void this.#remove(),
      backUp: (password, strong) => this.#backUp(password, strong),
    })
    void this.#begin()
  }

  async #begin(): Promise<void> {
    this.#kept = (await kept()).map(entryOfRecord)
    this.#preselect('browser', this.#kept)
    this.#open(this.#kept.length > 0 ? 'browser' : 'files')
    this.#view.focusFirst(this.#entry()?.standing.usable === true)
  }

  /** Whether it has ended. */
  get closed(): boolean {
    return this.#closed
  }

  /** A newer challenge: for the same act the person's confirmation holds, else the window starts anew. */
  renewed(id: string, message: ChallengeMessage): boolean {
    const fresh = asked(message, this.#origins.center, performance.now())
    if (!sameAct(fresh, this.#request)) return false
    this.#id = id
    this.#request = fresh
    if (this.#renewal !== null) {
      this.#endRenewal()
      void this.#sign()
    }
    return true
  }

  /** The person or the center ends it: nothing was signed, nothing stays. */
  cancel(): void {
    this.#finish()
    this.#tell({ kind: 'cancelled', id: this.#id })
  }

  /** Takes the window away without a word, for a newer one. */
  discard(): void {
    this.#finish()
  }

  #finish(): void {
    this.#closed = true
    this.#endRenewal()
    this.#view.close()
  }

  #now(): Date {
    return instantOf(this.#request, performance.now())
  }

  #entries(): readonly Entry[] {
    return { browser: this.#kept, files: this.#files, phone: [], finance: [] }[this.#tab]
  }

  #entry(): { entry: Entry; standing: Standing } | null {
    const entry = this.#entries().find((each) => each.id === this.#chosen[this.#tab])
    return entry === undefined ? null : { entry, standing: standingOf(entry, this.#request, this.#now()) }
  }

  #open(tab: Tab): void {
    this.#tab = tab
    this.#draw()
  }

  #choose(entryId: string): void {
    this.#chosen = { ...this.#chosen, [this.#tab]: entryId }
    this.#view.mark(entryId)
  }

  #draw(): void {
    const now = this.#now()
    const lines = this.#entries().map((entry) => ({ entry, standing: standingOf(entry, this.#request, now) }))
    // Usable ones first; otherwise in the order in which they were found.
    lines.sort((one, other) => Number(other.standing.usable) - Number(one.standing.usable))
    this.#view.draw({ tab: this.#tab, lines, chosen: this.#chosen[this.#tab] })
  }

  /** The one used last, or the only one that can be used. */
  #preselect(tab: Tab, entries: readonly Entry[]): void {
    if (entries.some((each) => each.id === this.#chosen[tab])) return
    const last = lastUsed()
    const usable = entries.filter((each) => standingOf(each, this.#request, this.#now()).usable)
    const found = usable.find((each) => fingerprintOf(each) === last) ?? (usable.length === 1 ? usable[0] : undefined)
    this.#chosen = { ...this.#chosen, [tab]: found?.id ?? null }
  }

  async #bring(picking: Promise<readonly Picked[]>): Promise<void> {
    const slow = setTimeout(() => this.#view.reading(true), PROGRESS_AFTER_MS)
    try {
      const { entries, tooLarge, full, failed } = await readPicked(picking)
      if (this.#closed) return
      this.#files = merged(this.#files, entries)
      this.#preselect('files', this.#files)
      this.#open('files')
      this.#view.brought({ found: entries.length, tooLarge, full, usable: this.#entry()?.standing.usable === true })
      if (failed !== null) this.#view.alert(this.#view.sentence(failed.code, failed.facts))
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      this.#view.alert(this.#view.sentence(failure.code, failure.facts))
    } finally {
      clearTimeout(slow)
      this.#view.reading(false)
    }
  }

  async #keepAsked(wanted: boolean): Promise<void> {
    if (!wanted) return this.#view.use.keepTold('')
    if (!(await canKeep())) {
      this.#view.use.keep.checked = false
      return this.#view.use.keepTold(this.#view.sentence('cannot-keep'))
    }
    this.#view.use.keepTold(this.#view.say((await askToPersist()) ? 'persisted' : 'not-persisted'))
  }

  async #remove(): Promise<void> {
    const source = this.#entry()?.entry.source
    if (source?.kind !== 'record') return
    await remove(source.record.id)
    this.#kept = this.#kept.filter((each) => each.source !== source)
    this.#preselect('browser', this.#kept)
    this.#draw()
    this.#view.announce(this.#view.say('removed'))
    this.#view.focusFirst(false)
  }

  async #confirm(): Promise<void> {
    if (this.#ready !== null) return this.#answer(this.#ready)
    if (this.#busy) return
    this.#prf = null
    this.#pin.drop()
    const found = this.#entry()
    if (found === null) return this.#view.missingChoice()
    if (!found.standing.usable) return this.#view.alert(this.#view.reason(found))
    const slot = this.#view.use.empty() ? passkeyOf(found.entry) : null
    if (slot !== null) return this.#confirmByPasskey(slot)
    const pinned = this.#view.use.byPin() ? withPinOf(found.entry) : null
    if (pinned !== null) return this.#confirmByPin(pinned)
    const rest = restOf(loadCounts(localStorageOrNone()), countNameOf(found.entry), Date.now())
    if (rest > 0) return this.#view.wrong(this.#view.say('resting', { m: Math.ceil(rest / 60_000) }))
    if (this.#view.use.empty()) return this.#view.wrong(this.#view.say('password-missing'))
    if (!expired(this.#request, performance.now())) return this.#sign()
    this.#renew()
  }

  /** [확인] with the password left empty: the phone asks the person instead (B2, B9). */
  async #confirmByPasskey(slot: PasskeySlot): Promise<void> {
    this.#working(true, 'passkey-working')
    try {
      this.#prf = await askPasskey(slot)
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      return this.#fail(failure.code)
    }
    if (this.#closed) return
    if (!expired(this.#request, performance.now())) return this.#sign()
    this.#renew()
  }

  /** [확인] with 간편비밀번호: the center's key is asked for it first (B8). */
  async #confirmByPin(record: KeptRecord): Promise<void> {
    const typed = this.#view.use.takePin()
    if (typed.length !== DIGITS) return this.#view.wrong(this.#view.say('pin-digits'))
    this.#working(true)
    try {
      await this.#pin.ask(record, typed)
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      if (failure.code === 'pin-gone') await this.#look()
      this.#fail(failure.code, failure.facts)
      return this.#view.use.focusPassword()
    }
    if (this.#closed) return
    if (!expired(this.#request, performance.now())) return this.#sign()
    this.#renew()
  }

  /** It did not open: how many tries are left, or that there are none and the password still opens. */
  async #wrongPin(): Promise<void> {
    const left = await this.#pin.missed()
    if (left === 0) {
      await this.#look()
      this.#fail('pin-locked')
      return this.#view.use.focusPassword()
    }
    this.#working(false)
    this.#view.wrong(this.#view.say('pin-wrong', { n: left }))
  }

  /** What this browser keeps, anew; the chosen line stays chosen. */
  async #look(): Promise<void> {
    this.#kept = (await kept()).map(entryOfRecord)
    this.#draw()
  }

  /** PFX로 백업 of the chosen line: the record then remembers that there is one. */
  async #backUp(password: Uint8Array, strong: boolean): Promise<BackupTold> {
    const found = this.#entry()
    const record = found?.entry.source?.kind === 'record' ? found.entry.source.record : null
    if (record === null) return { text: this.#view.sentence('defect'), about: 'failure' }
    const told = await backedUp(record, password, strong, this.#request.lang)
    if (told.record === null) {
      const about = told.code === 'wrong-password' ? 'password' : 'failure'
      return { text: this.#view.sentence(told.code), about }
    }
    await this.#look()
    return { text: this.#view.say('issue-backup-told'), about: 'done' }
  }

  /** The challenge ended while the person typed: a fresh one is asked for once, and the signature follows by itself. */
  #renew(): void {
    this.#working(true)
    this.#renewal = setTimeout(() => {
      this.#renewal = null
      this.#fail('outage')
    }, RENEWAL_WAIT_MS)
    this.#tell({ kind: 'expired', id: this.#id })
  }

  #endRenewal(): void {
    if (this.#renewal !== null) clearTimeout(this.#renewal)
    this.#renewal = null
  }

  async #sign(): Promise<void> {
    const found = this.#entry()
    if (found === null || found.entry.source === null) return
    if (expired(this.#request, performance.now())) return this.#fail('challenge-life')
    this.#working(true)
    const { entry } = found
    const prf = this.#prf
    this.#prf = null
    const answer = await done({
      source: found.entry.source,
      password: this.#view.use.take(),
      challenge: this.#request.challenge,
      signingTime: this.#now().getTime(),
      sealFor: this.#request.seal ? this.#origins.center : null,
      keep: this.#view.use.keep.checked && entry.source?.kind !== 'record',
      ...(prf === null ? {} : { prf }),
      ...this.#pin.opening(),
    })
    await this.#pin.proved(answer.proved)
    if (this.#closed) return
    if (!answer.ok && answer.code === 'wrong-pin') return this.#wrongPin()
    if (!answer.ok && answer.code === 'wrong-password') return this.#wrong(entry)
    if (answer.ok || answer.opened) this.#right(entry)
    if (!answer.ok) return this.#fail(answer.code, answer.facts)
    await this.#conclude(entry, answer.done)
  }

  #wrong(entry: Entry): void {
    const storage = localStorageOrNone()
    const { counts, wrong } = afterWrong(loadCounts(storage), countNameOf(entry), Date.now())
    saveCounts(storage, counts)
    this.#working(false)
    this.#view.wrong(this.#view.say(wrong >= TRIES ? 'wrong-last' : 'wrong', { n: wrong, max: TRIES }))
  }

  #right(entry: Entry): void {
    const storage = localStorageOrNone()
    saveCounts(storage, afterRight(loadCounts(storage), countNameOf(entry)))
  }

  #fail(code: string, facts: Readonly<Record<string, string | number>> = {}): void {
    this.#view.use.clear()
    this.#working(false)
    this.#view.alert(this.#view.sentence(code, facts))
  }

  async #conclude(entry: Entry, result: Done): Promise<void> {
    if (entry.certificate === null && !this.#usableAfterAll(entry, new Certificate(result.certificate))) return
    const ready = { signed: toBase64(result.signed), sealed: result.sealed === null ? null : toBase64(result.sealed) }
    rememberUsed(toHex(sha256(result.certificate)))
    if (result.raise !== null) await replace(result.raise)
    if (result.keep === null || (await this.#keepNow(result))) return this.#answer(ready)
    this.#ready = ready
    this.#working(false)
    this.#view.alert(this.#view.say('signed-not-kept'))
  }

  /** A PFX shows its certificate only now; what the list would have refused is refused here, and shown in it. */
  #usableAfterAll(entry: Entry, certificate: Certificate): boolean {
    const standing = standingOfCertificate(certificate, this.#request, this.#now())
    if (standing.usable) return true
    this.#files = this.#files.map((each) => (each === entry ? { ...each, certificate } : each))
    this.#working(false)
    this.#draw()
    this.#view.alert(this.#view.reason({ entry: { ...entry, certificate }, standing }))
    return false
  }

  async #keepNow(result: Done): Promise<boolean> {
    try {
      if (result.keep !== null && !this.#alreadyKept(result)) await store(result.keep)
      return true
    } catch (failure) {
      if (failure instanceof Refusal) return false
      throw failure
    }
  }

  #alreadyKept(result: Done): boolean {
    const fingerprint = toHex(sha256(result.certificate))
    return this.#kept.some((each) => fingerprintOf(each) === fingerprint)
  }

  #answer({ signed, sealed }: Ready): void {
    if (this.#closed) return
    this.#finish()
    this.#tell({ kind: 'signed', id: this.#id, signed, sealed })
  }

  #working(busy: boolean, word = 'working'): void {
    this.#busy = busy
    this.#view.working(busy, PROGRESS_AFTER_MS, word)
  }
}
