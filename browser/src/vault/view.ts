/**
 * What the person sees: one card with its tabs, list, password and buttons, made once per request.
 *
 * Drawing only; every decision is taken at the desk. Every change that eyes would notice is told to a screen reader.
 */

import { type Asked } from './asked.ts'
import { button, el, show } from './dom.ts'
import type { Entry, Picked } from './entries.ts'
import { hold } from './focus.ts'
import type { Lang } from './messages.ts'
import { ownPlace } from './place.ts'
import { type KeptRecord, passkeySlot, pinSlot } from './record.ts'
import { Aside } from './screens/aside.ts'
import { backupPage, type BackupTold } from './screens/backup.ts'
import { details } from './screens/details.ts'
import { type FileArea, fileArea, takeDrops } from './screens/files.ts'
import { help } from './screens/help.ts'
import { type Line, list } from './screens/list.ts'
import { type Tab, tabPanel, type TabRow, tabRow, TABS } from './screens/tabs.ts'
import { type UseForm, useForm } from './screens/use.ts'
import { day, type Say, saying, sentence } from './words.ts'
import type { Facts } from '../pure/failure.ts'

/** Who is told of what the person does. */
export interface ViewEvents {
  open(tab: Tab): void
  choose(entryId: string): void
  bring(picked: Promise<readonly Picked[]>): void
  confirm(): void
  cancel(): void
  keep(wanted: boolean): void
  remove(): void
  backUp(password: Uint8Array, strong: boolean): Promise<BackupTold>
}

/** What to draw. */
export interface Scene {
  readonly tab: Tab
  readonly lines: readonly Line[]
  readonly chosen: string | null
}

/** What a picking brought. */
export interface Brought {
  readonly found: number
  readonly tooLarge: number
  readonly full: boolean
  readonly usable: boolean
}

/** The window of one request. */
export class View {
  readonly say: Say
  readonly use: UseForm
  readonly #lang: Lang
  readonly #purpose: string
  readonly #events: ViewEvents
  readonly #card: HTMLElement
  readonly #tabs: TabRow
  readonly #panels: ReadonlyMap<Tab, HTMLElement>
  readonly #area: FileArea
  readonly #aside: Aside
  readonly #status = el('p', { role: 'status', class: 'unseen', id: 'status' })
  readonly #alert = el('p', { role: 'alert', class: 'alert', id: 'alert', hidden: true })
  readonly #why = el('p', { id: 'why', class: 'why' })
  readonly #links = el('p', { class: 'links' })
  readonly #listBox = el('div', { class: 'list-box' })
  readonly #own = ownPlace(navigator)
  #scene: Scene = { tab: 'files', lines: [], chosen: null }
  #progress: ReturnType<typeof setTimeout> | null = null

  constructor(request: Asked, center: string, events: ViewEvents) {
    this.#lang = request.lang
    this.say = saying(request.lang)
    this.#purpose = request.challenge.purpose
    this.#events = events
    const { say } = this
    document.documentElement.lang = request.lang
    document.title = say('title')
    this.use = useForm(say, this.#own === 'phone', events)
    this.#tabs = tabRow(say, events.open)
    this.#area = fileArea(say, this.#own === 'phone', events.bring)
    this.#panels = new Map(TABS.map((tab) => [tab, tabPanel(tab)]))
    const main = el('div', { class: 'main' }, ...this.#top(request, center), this.#tabs.element)
    main.append(...this.#panels.values(), this.#alert, this.use.element)
    this.#aside = new Aside(main, say)
    this.#card = el('div', { class: 'window', role: 'dialog', 'aria-modal': 'true', 'aria-labelledby': 'title' })
    this.#card.append(this.#header(), main, this.#aside.element, this.#status)
    document.body.replaceChildren(this.#card)
    takeDrops(this.#card, events.bring)
    hold(this.#card, () => (this.#aside.open ? this.#aside.back() : events.cancel()))
  }

  #header(): HTMLElement {
    const close = button('✕', 'close', this.#events.cancel)
    close.setAttribute('aria-label', this.say('close'))
    return el('header', {}, el('h1', { id: 'title' }, this.say('title')), close)
  }

  /** The purpose from our own table by its code, and the exact text that will be signed (B2, A19). */
  #top(request: Asked, center: string): HTMLElement[] {
    const purpose = el('p', { class: 'purpose' }, this.say(`purpose-${this.#purpose}`), ' ')
    purpose.append(el('span', { class: 'site' }, new URL(center).host))
    if (request.bodyText === null) return [purpose]
    const shown = el('pre', { class: 'body-text', tabindex: '0', 'aria-labelledby': 'body-title' }, request.bodyText)
    return [purpose, el('h2', { id: 'body-title', class: 'body-title' }, this.say('body-title')), shown]
  }

  /** Draws the tab with its lines. */
  draw(scene: Scene): void {
    this.#scene = scene
    this.alert('')
    this.#tabs.choose(scene.tab)
    for (const [tab, panel] of this.#panels) {
      show(panel, tab === scene.tab)
      panel.replaceChildren(...(tab === scene.tab ? this.#content(scene) : []))
    }
    this.#mark()
  }

  /** Another line of the same list: nothing is drawn anew, so the focus stays. */
  mark(chosen: string | null): void {
    this.#scene = { ...this.#scene, chosen }
    this.alert('')
    this.use.wrong('')
    this.#mark()
  }

  #content({ tab, lines }: Scene): HTMLElement[] {
    const { say } = this
    if (tab === 'phone' || tab === 'finance') {
      const [text, token] = [el('p', {}, say(`${tab}-text`)), el('p', { class: 'hint' }, say('token-note'))]
      return [el('div', { class: 'empty' }, el('span', { class: 'chip' }, say('coming')), text, token)]
    }
    this.#area.compact(lines.length > 0)
    if (lines.length === 0) return tab === 'files' ? [this.#area.element, this.#helpLine()] : [this.#nothingKept()]
    this.#listBox.replaceChildren(list(lines, this.#listOptions(tab)))
    const below = el('div', { class: 'below' }, this.#why, this.#links)
    if (tab === 'files') below.append(this.#area.element)
    const rest = tab === 'files' ? [] : [el('p', { class: 'hint' }, say('kept-note'))]
    return [this.#listBox, below, ...rest]
  }

  #listOptions(tab: Tab): Parameters<typeof list>[1] {
    const { say } = this
    return {
      name: `certificate-${tab}`,
      lang: this.#lang,
      say,
      chosen: this.#scene.chosen,
      purpose: this.#purpose,
      choose: this.#events.choose,
      enter: () => {
        if (this.use.empty() && this.#chosen()?.standing.usable) this.use.focusPassword()
        else this.#events.confirm()
      },
    }
  }

  #nothingKept(): HTMLElement {
    const open = button(this.say('to-files'), 'secondary', () => this.#events.open('files'))
    return el('div', { class: 'empty' }, el('p', {}, this.say('nothing-kept')), open)
  }

  #helpLine(): HTMLElement {
    return el('p', { class: 'links' }, this.#helpLink())
  }

  #helpLink(): HTMLElement {
    return button(this.say('help-link'), 'link', () =>
      this.#aside.show(this.say('help-title'), ...help(this.#own, this.say, (text) => this.announce(text))),
    )
  }

  #chosen(): Line | undefined {
    return this.#scene.lines.find(({ entry }) => entry.id === this.#scene.chosen)
  }

  #mark(): void {
    const line = this.#chosen()
    for (const row of this.#listBox.querySelectorAll('tr.line')) {
      const radio = row.querySelector<HTMLInputElement>('input')
      const chosen = radio !== null && radio.value === this.#scene.chosen
      row.classList.toggle('chosen', chosen)
      // The sentence below is about the chosen line alone.
      if (chosen) radio.setAttribute('aria-describedby', 'why')
      else radio?.removeAttribute('aria-describedby')
    }
    this.#why.textContent = line === undefined ? this.say('choose-line') : this.#below(line)
    this.#why.classList.toggle('bad', line?.standing.usable === false)
    this.#links.replaceChildren(...this.#linksOf(line))
    const usable = line?.standing.usable === true
    const record = line === undefined ? null : recordOf(line.entry)
    const passkey = usable && record !== null && passkeySlot(record) !== null
    const pin = record !== null && pinSlot(record) !== null
    this.use.fit({ password: usable, keep: usable && this.#scene.tab === 'files', passkey, pin })
  }

  #below(line: Line): string {
    if (!line.standing.usable) return this.reason(line)
    // Asked for until it is done (security B12).
    if (recordOf(line.entry)?.backup === 'due') return this.say('backup-due')
    return line.standing.chip === 'soon' ? this.say('soon', { d: line.standing.days }) : ''
  }

  #linksOf(line: Line | undefined): HTMLElement[] {
    const links: HTMLElement[] = []
    if (line !== undefined) {
      const content = (): HTMLElement => details(line.entry, this.#lang, this.say)
      links.push(button(this.say('details'), 'link', () => this.#aside.show(this.say('details'), content())))
    }
    if (line !== undefined && recordOf(line.entry)?.backup !== undefined) links.push(this.#backupLink())
    if (line !== undefined && this.#scene.tab === 'browser') links.push(this.#removeLink(line.entry))
    if (this.#scene.tab === 'files') links.push(this.#helpLink())
    return links
  }

  #backupLink(): HTMLElement {
    const page = (): HTMLElement => backupPage(this.say, this.#events.backUp)
    return button(this.say('backup-link'), 'link', () => this.#aside.show(this.say('backup-link'), page()))
  }

  #removeLink(entry: Entry): HTMLElement {
    return button(this.say('remove'), 'link', () => {
      const sure = button(this.say('remove-sure'), 'danger', () => {
        this.#aside.back()
        this.#events.remove()
      })
      const text = el('p', {}, this.say('remove-text'))
      this.#aside.show(this.say('remove-title'), text, details(entry, this.#lang, this.say), sure)
    })
  }

  /** Why a line cannot be used, as a sentence. */
  reason({ entry, standing }: Line): string {
    const date = entry.certificate === null ? '' : day(entry.certificate.notAfter)
    const from = entry.certificate === null ? '' : day(entry.certificate.notBefore)
    return this.sentence(standing.code ?? 'defect', { date, from, file: entry.fileName })
  }

  /** The sentence of a failure code. */
  sentence(code: string, facts: Facts = {}): string {
    return sentence(this.#lang, code, facts)
  }

  /** Something the person must know now; empty takes it away. */
  alert(text: string): void {
    this.#alert.textContent = text
    show(this.#alert, text !== '')
  }

  /** Told to a screen reader only. */
  announce(text: string): void {
    this.#status.textContent = text
  }

  /** Beside the password, which gets the focus. */
  wrong(text: string): void {
    this.use.wrong(text)
    this.use.focusPassword()
  }

  /** [확인] without a certificate: what is missing is said, and the focus goes there. */
  missingChoice(): void {
    this.alert(this.say(this.#scene.lines.length > 0 ? 'choose-first' : 'bring-first'))
    this.focusFirst(false)
  }

  /** Files of a slow medium are being read. */
  reading(slow: boolean): void {
    this.#area.reading(slow)
  }

  /** After a picking: how many there are; on to the password where one is ready. */
  brought({ found, tooLarge, full, usable }: Brought): void {
    if (found === 0) this.alert(this.say(tooLarge > 0 ? 'found-too-large' : 'found-none'))
    else this.announce(this.say('found', { n: found }))
    if (found > 0 && full) this.alert(this.say('found-full'))
    this.focusFirst(usable)
  }

  /** Where the focus starts: the password when a certificate is ready, else the list, else the buttons of the tab. */
  focusFirst(ready: boolean): void {
    if (ready) return this.use.focusPassword()
    const radios = [...this.#card.querySelectorAll<HTMLInputElement>('.panel:not([hidden]) input[type=radio]')]
    const radio = radios.find((each) => each.checked) ?? radios[0]
    if (radio !== undefined) return radio.focus()
    if (this.#scene.tab === 'files') return this.#area.focus()
    this.#card.querySelector<HTMLElement>('[role=tab][aria-selected=true]')?.focus()
  }

  /** Over `after` milliseconds a word says what is being done. */
  working(busy: boolean, after: number, word = 'working'): void {
    if (this.#progress !== null) clearTimeout(this.#progress)
    this.#progress = null
    this.#card.classList.toggle('working', busy)
    if (!busy) return this.use.busy(null)
    this.alert('')
    this.use.wrong('')
    this.#progress = setTimeout(() => {
      this.use.busy(this.say(word))
      this.announce(this.say(word))
    }, after)
  }

  /** Takes everything away, what was typed first. */
  close(): void {
    if (this.#progress !== null) clearTimeout(this.#progress)
    this.use.clear()
    document.body.replaceChildren()
  }
}

function recordOf({ source }: Entry): KeptRecord | null {
  return source?.kind === 'record' ? source.record : null
}
