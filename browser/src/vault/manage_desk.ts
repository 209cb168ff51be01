/**
 * The conduct of 인증서관리: the list, and one task at a time with the chosen certificate (flows.md W7, B4).
 *
 * Nothing of a key, a password or a file leaves this frame. A changed password counts only when what was read back
 * opened by it; a file is offered only when it was opened again; what a certificate takes the place of goes last.
 */

import { type Facts, Refusal } from '../pure/failure.ts'
import { Certificate } from '../pure/npki/certificate.ts'
import { wipe } from '../pure/octets.ts'
import { fromBase64 } from './base64.ts'
import type { Tell } from './channel.ts'
import { twinsOf } from './copy_keeping.ts'
import type { Entry, Picked } from './entries.ts'
import { believed } from './known_roots.ts'
import { type Act, actsOf } from './manage_acts.ts'
import { lookedAt, toldBy } from './manage_checking.ts'
import { type Asking, ManageLabour, SLOW_MS, type Task } from './manage_labour.ts'
import type { ManageMessage } from './manage_messages.ts'
import { Shelf } from './manage_shelf.ts'
import { passkeyTask, simpleTask, type Slots } from './manage_slots.ts'
import { saveCertificate } from './manage_saving.ts'
import { StatusQuestion } from './manage_status.ts'
import { ManageView } from './manage_view.ts'
import type { MadeFile, ManageDone } from './manage_work.ts'
import type { FromCenter } from './messages.ts'
import { fileName, save } from './pfx_file.ts'
import { PinUse } from './pin.ts'
import { pinLine } from './pin_line.ts'
import { ownPlace } from './place.ts'
import { type KeptRecord, pinSlot } from './record.ts'
import { keyText } from './screens/details.ts'
import { exportScreen, filesScreen, type OfferedFile } from './screens/manage_export.ts'
import { importQuestion, importScreen } from './screens/manage_import.ts'
import { ManageList } from './screens/manage_list.ts'
import { passwordScreen } from './screens/manage_password.ts'
import { removeScreen } from './screens/manage_remove.ts'
import { VerifyScreen } from './screens/manage_verify.ts'
import { viewScreen } from './screens/manage_view.ts'
import type { Origins } from './settings.ts'
import { askToPersist, kept, recordOf, remove, replace, store, tried, untry } from './store.ts'
import { day, type Say } from './words.ts'

/** One visit, from the `manage` message to its end. */
export class ManageDesk {
  readonly #tell: Tell
  readonly #id: string
  readonly #manage: ManageMessage
  readonly #view: ManageView
  readonly #say: Say
  readonly #shelf: Shelf
  readonly #list: ManageList
  readonly #labour: ManageLabour
  readonly #slots: Slots
  readonly #anchors: readonly Certificate[]
  readonly #believed: readonly Certificate[]
  readonly #question: StatusQuestion
  readonly #arrived = performance.now()
  #verifying: VerifyScreen | null = null
  #closed = false

  /** Opens it. Throws Refusal `challenge-origin` where another center asks, and then shows nothing. */
  constructor(origins: Origins, tell: Tell, id: string, manage: ManageMessage) {
    if (manage.origin !== origins.center) throw new Refusal('challenge-origin')
    this.#tell = tell
    this.#id = id
    this.#manage = manage
    this.#anchors = manage.anchors.map((each) => new Certificate(fromBase64(each)))
    this.#believed = believed(this.#anchors, [...origins.roots, ...origins.desk_roots])
    this.#view = new ManageView(manage.lang, (height) => tell({ kind: 'size', id, height }))
    this.#say = this.#view.say
    this.#shelf = new Shelf(() => this.#now())
    this.#labour = new ManageLabour(this.#shelf, this.#say, (code, facts) => this.#view.sentence(code, facts), () => this.#closed)
    this.#question = new StatusQuestion({
      say: this.#say,
      sentence: (code) => this.#view.sentence(code),
      ask: (certificate) => tell({ kind: 'verify', id, certificate }),
      show: (finding) => this.#verifying?.set('status', finding),
    })
    this.#slots = {
      view: this.#view,
      labour: this.#labour,
      pin: new PinUse(pinLine(tell, () => id), origins.center),
      manage,
      done: (word) => this.#back(this.#say(word)),
      lead: () => tell({ kind: 'lead', id, to: 'login' }),
    }
    this.#list = new ManageList({
      say: this.#say,
      lang: manage.lang,
      registered: manage.registered,
      events: {
        choose: (entryId) => this.#choose(entryId),
        bring: (picked) => void this.#bring(picked),
        act: (act) => this.#act(act),
      },
      acts: (line) => actsOf(line, manage.wanted),
      sentence: (code, facts) => this.#view.sentence(code, facts),
      announce: (text) => this.#view.announce(text),
    })
    void this.#begin()
  }

  get closed(): boolean {
    return this.#closed
  }

  /** What the center says to this conversation. */
  hear(message: FromCenter): void {
    if (message.id !== this.#id || this.#closed || this.#verifying === null) return
    if (message.kind === 'failed') this.#question.unanswered(message.code)
    if (message.kind !== 'verified' || !this.#question.answered()) return
    const { at, checks } = message.verified
    const told = toldBy(checks, at, this.#say, (code, facts) => this.#view.sentence(code, facts))
    for (const [name, finding] of told) this.#verifying.set(name, finding)
  }

  cancel(): void {
    this.discard()
    this.#tell({ kind: 'cancelled', id: this.#id })
  }

  discard(): void {
    this.#closed = true
    this.#question.end()
    this.#view.close()
  }

  /** By the center's clock, counted on. */
  #now(): Date {
    return new Date(Date.parse(this.#manage.now) + Math.max(0, performance.now() - this.#arrived))
  }

  async #begin(): Promise<void> {
    await this.#shelf.look()
    // A change that broke off left its copy beside the record, which stands as it was.
    for (const each of await kept()) await untry(each.id)
    if (this.#closed) return
    this.#draw()
    this.#view.show(this.#list)
    if (this.#manage.wanted === 'files' && document.hasFocus()) this.#list.focusFiles()
  }

  #draw(): void {
    this.#list.draw({ browser: this.#shelf.lines('browser'), files: this.#shelf.lines('files'), chosen: this.#shelf.chosen() })
  }

  #choose(entryId: string): void {
    this.#shelf.choose(entryId)
    this.#list.mark(this.#shelf.chosen())
  }

  async #bring(picked: Promise<readonly Picked[]>): Promise<void> {
    const slow = setTimeout(() => this.#list.reading(true), SLOW_MS)
    const brought = await this.#shelf.bring(picked)
    clearTimeout(slow)
    if (this.#closed) return
    this.#list.reading(false)
    this.#draw()
    this.#list.brought(brought)
  }

  /** Back to the list, with what was done. */
  async #back(told = ''): Promise<void> {
    this.#verifying = null
    this.#question.end()
    await this.#shelf.look()
    if (this.#closed) return
    this.#draw()
    this.#view.show(this.#list)
    if (told !== '') this.#list.tell(told, false)
    if (document.hasFocus()) this.#list.focus()
  }

  #act(act: Act): void {
    const entry = this.#shelf.chosen()?.entry
    if (entry === undefined || this.#labour.busy) return
    const back = (): void => {
      this.#labour.leave()
      void this.#back()
    }
    const screens: Readonly<Record<Act, () => void>> = {
      view: () => void this.#show(entry, back),
      verify: () => void this.#verify(entry, back),
      password: () => this.#password(entry, back),
      export: () => this.#export(entry, back),
      import: () => this.#import(entry, back),
      simple: () => simpleTask(this.#slots, entry, back),
      passkey: () => void passkeyTask(this.#slots, entry, back),
      remove: () => this.#remove(entry, back),
    }
    screens[act]()
  }

  // ── 보기 ──

  #show(entry: Entry, back: () => void): void {
    const { certificate } = entry
    if (certificate === null) return this.#open(entry, back)
    const { lang, registered } = this.#manage
    const element = viewScreen({
      say: this.#say,
      lang,
      certificate,
      key: keyText(entry.source, this.#say),
      registered: this.#manage.known ? certificate.fingerprintHex === registered : null,
      anchors: this.#anchors,
      believed: this.#believed,
      announce: (text) => this.#view.announce(text),
      save: (form) => saveCertificate(certificate, lang, form),
      verify: () => void this.#verify(entry, back),
      back,
    })
    this.#view.show({ element })
  }

  /** A PFX before its password: the test of the password shows what it is. */
  #open(entry: Entry, back: () => void): void {
    const screen: VerifyScreen = new VerifyScreen(entry, this.#manage.lang, this.#say, {
      tryKey: (password) => void this.#tryKey(screen, entry, password, back),
      ask: () => this.#question.press(),
      print: () => window.print(),
      back,
    })
    this.#verifying = screen
    this.#question.end()
    for (const name of ['form', 'path', 'period', 'policy', 'here', 'status'] as const) {
      screen.set(name, { verdict: 'open', text: this.#say('after-password') })
    }
    screen.set('key', { verdict: 'open', text: this.#say('manage-key-untried') })
    this.#view.show(screen)
  }

  // ── 유효성 검증 ──

  async #verify(entry: Entry, back: () => void): Promise<void> {
    this.#open(entry, back)
    if (entry.certificate !== null && this.#verifying !== null) await this.#look(this.#verifying, entry.certificate)
    if (entry.source === null) this.#verifying?.set('key', { verdict: 'open', text: this.#view.sentence(entry.trouble ?? 'defect') })
  }

  async #look(screen: VerifyScreen, certificate: Certificate): Promise<void> {
    const { lang, known, registered } = this.#manage
    const sentence = (code: string, facts = {}): string => this.#view.sentence(code, facts)
    const looking = { certificate, anchors: this.#believed, at: this.#now(), lang, say: this.#say, known, registered, sentence }
    for (const [name, finding] of await lookedAt(looking)) screen.set(name, finding)
    if (this.#closed || screen !== this.#verifying) return
    this.#question.about(certificate)
    screen.askable()
  }

  async #tryKey(screen: VerifyScreen, entry: Entry, password: Uint8Array, back: () => void): Promise<void> {
    const asking: Asking = {
      element: screen.element,
      busy: (word) => screen.busy(word),
      wrong: (text) => screen.wrong(text),
      alert: (text) => screen.set('key', { verdict: 'bad', text }),
    }
    const done = await this.#labour.worked(asking, entry, password, (source) => ({ manage: 'try', source, password }))
    if (done?.kind !== 'tried') return
    if (done.raise !== null) await replace(done.raise)
    const text = this.#say(done.random ? 'manage-key-good' : 'manage-key-no-random')
    if (entry.certificate !== null) return this.#keyGood(screen, text)
    const known = this.#shelf.learn(entry, done.certificate)
    await this.#verify(known, back)
    if (this.#verifying !== null) this.#keyGood(this.#verifying, text)
  }

  #keyGood(screen: VerifyScreen, text: string): void {
    screen.set('key', { verdict: 'good', text })
    screen.keyDone()
  }

  // ── 비밀번호 변경 ──

  #password(entry: Entry, back: () => void): void {
    const screen = passwordScreen(entry, this.#manage.lang, this.#say, {
      change: (old, fresh) => void this.#change({ ...screen, wrong: screen.wrongOld }, entry, old, fresh),
      back,
      sentence: (code) => this.#view.sentence(code),
    })
    this.#view.show(screen)
  }

  async #change(screen: Asking, entry: Entry, password: Uint8Array, fresh: Uint8Array): Promise<void> {
    const done = await this.#labour.working(screen, async (task) => {
      const made = await this.#labour.answered(task, screen, entry, (source) => ({ manage: 'change', source, password, fresh }))
      if (made?.kind !== 'changed') return made
      return (await this.#putInPlace(task, screen, made.record)) ? made : null
    })
    wipe(password, fresh)
    if (done?.kind === 'files') this.#offer(entry, done, 'manage-changed-title', ['manage-changed-file'])
    if (done?.kind === 'changed') await this.#back(this.#say('manage-changed'))
  }

  /**
   * Written beside, read back, opened by the new password; only then it takes the place of the older one. False where it
   * was left before that, or the screen says why not.
   */
  async #putInPlace(task: Task, screen: Asking, record: KeptRecord): Promise<boolean> {
    const cannot = (code: string, facts?: Facts): boolean => {
      screen.alert(this.#view.sentence(code, facts))
      return false
    }
    try {
      const answer = await task.worker.do({ manage: 'confirm', record: await tried(record) })
      if (task.left || this.#closed) return false
      if (!answer.ok) return cannot(answer.code, answer.facts)
      // A file that was saved before still opens by the older password: another one is asked for.
      const before = await recordOf(record.id)
      const fresh: KeptRecord = record.backup === 'done' ? { ...record, backup: 'due' } : record
      if (await replace(fresh)) return true
      if (before !== null) await replace(before)
      return cannot('manage-cannot-change')
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      return cannot('manage-cannot-change')
    } finally {
      await untry(record.id)
    }
  }

  // ── 내보내기 ──

  #export(entry: Entry, back: () => void): void {
    const screen = exportScreen(entry, this.#manage.lang, this.#say, {
      make: (password, wish) =>
        void this.#labour.worked(screen, entry, password, (source) => ({ manage: 'export', source, password, wish })).then(async (done) => {
          if (done?.kind !== 'files') return
          if (done.raise !== null) await replace(done.raise)
          const strength = wish.strong ? 'strong' : 'common'
          this.#offer(entry, done, 'manage-exported-title', ['manage-exported-checked', `manage-exported-${strength}`])
        }),
      back,
    })
    this.#view.show(screen)
  }

  #offer(entry: Entry, done: Extract<ManageDone, { kind: 'files' }>, title: string, hints: readonly string[]): void {
    const certificate = new Certificate(done.certificate)
    this.#shelf.learn(entry, done.certificate)
    const record = entry.source?.kind === 'record' ? entry.source.record : null
    const files = done.files.map((file) => this.#offered(file, certificate, record))
    const more = done.files.length > 1 ? [this.#say('manage-pair-together')] : []
    const texts = [...hints.map((each) => this.#say(each)), ...more]
    this.#view.show({ element: filesScreen(this.#say, this.#say(title), texts, files, () => void this.#back()) })
  }

  #offered({ name, bytes }: MadeFile, certificate: Certificate, record: KeptRecord | null): OfferedFile {
    const called = name === 'pfx' ? fileName(certificate, this.#manage.lang, 'pfx') : name
    return {
      name: called,
      save: () => {
        save(bytes, called, name === 'pfx' ? 'application/x-pkcs12' : 'application/octet-stream')
        if (record !== null) void this.#backedUp(record.id)
      },
    }
  }

  /** The record remembers that there is a file of it (B12). */
  async #backedUp(id: string): Promise<void> {
    const record = await recordOf(id)
    if (record !== null && record.backup === 'due') await replace({ ...record, backup: 'done' })
  }

  // ── 가져오기 ──

  #import(entry: Entry, back: () => void): void {
    const onPhone = ownPlace(navigator) === 'phone'
    const screen = importScreen(entry, this.#manage.lang, this.#say, onPhone, {
      bring: (password) =>
        void this.#labour.worked(screen, entry, password, (source) => ({ manage: 'import', source, password })).then(async (done) => {
          if (done?.kind === 'record') await this.#ask(screen, entry, done, back)
        }),
      back,
    })
    this.#view.show(screen)
  }

  /** One that has expired, or that takes the place of another, is kept only after a yes. */
  async #ask(screen: Asking, entry: Entry, { record, more }: Extract<ManageDone, { kind: 'record' }>, back: () => void): Promise<void> {
    const certificate = new Certificate(record.certificate)
    this.#shelf.learn(entry, record.certificate)
    const twins = twinsOf(certificate, await kept())
    const expiredOn = this.#now() > certificate.notAfter ? day(certificate.notAfter) : null
    const yes = (): void => void this.#keep(screen, record, twins, more)
    if (twins.length === 0 && expiredOn === null) return yes()
    const same = twins.some((each) => new Certificate(each.certificate).fingerprintHex === certificate.fingerprintHex)
    const question = { certificate: record.certificate, expiredOn, twins, same }
    this.#view.show({ element: importQuestion(this.#say, this.#manage.lang, question, yes, back) })
  }

  async #keep(screen: Asking, record: KeptRecord, twins: readonly KeptRecord[], more: boolean): Promise<void> {
    try {
      await store(record)
    } catch (failure) {
      if (!(failure instanceof Refusal)) throw failure
      this.#view.show(screen)
      return screen.alert(this.#view.sentence(failure.code, failure.facts))
    }
    // What cannot be removed opens as before; the new one is there all the same.
    for (const each of twins) await remove(each.id).catch(() => undefined)
    const persisted = await askToPersist()
    this.#shelf.choose(`kept-${record.id}`)
    const parts = [this.#say('manage-imported'), this.#say(persisted ? 'persisted' : 'not-persisted')]
    await this.#back([...parts, ...(more ? [this.#say('manage-km-left')] : [])].join(' '))
  }

  // ── 삭제 ──

  #remove(entry: Entry, back: () => void): void {
    const record = entry.source?.kind === 'record' ? entry.source.record : null
    if (record === null) return
    const events = {
      remove: (): void => void this.#removed(record),
      export: (): void => this.#export(entry, back),
      revoke: (): void => this.#tell({ kind: 'lead', id: this.#id, to: 'revocation' }),
      back,
    }
    this.#view.show({ element: removeScreen(entry, this.#manage.lang, this.#say, record.backup !== 'done', events) })
  }

  async #removed(record: KeptRecord): Promise<void> {
    try {
      const slot = pinSlot(record)
      await remove(record.id)
      if (slot !== null) await this.#slots.pin.abandon(slot.handle)
      await this.#back(this.#say('manage-removed'))
    } catch {
      await this.#back()
      this.#list.tell(this.#view.sentence('manage-cannot-remove'), true)
    }
  }
}
