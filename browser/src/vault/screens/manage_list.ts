/** 인증서관리's first screen: what lies where (저장 위치), and what can be done with the chosen one (W7, W10). */

import type { Lang } from '../customers.ts'
import { button, el, show } from '../dom.ts'
import type { Picked } from '../entries.ts'
import type { Act } from '../manage_acts.ts'
import type { Brought, Where } from '../manage_shelf.ts'
import { ownPlace } from '../place.ts'
import { passkeySlot, pinSlot } from '../record.ts'
import { day, type Say } from '../words.ts'
import { Aside } from './aside.ts'
import { type FileArea, fileArea, takeDrops } from './files.ts'
import { help } from './help.ts'
import { type Line, list } from './list.ts'

/** Who is told of what the person does. */
export interface ListEvents {
  choose(entryId: string): void
  bring(picked: Promise<readonly Picked[]>): void
  act(act: Act): void
}

/** What the list is drawn with. `registered`: fingerprint; `acts`: what a line allows, the first one foremost. */
export interface ListScreenOptions {
  readonly say: Say
  readonly lang: Lang
  readonly registered: string | null
  readonly events: ListEvents
  acts(line: Line): readonly Act[]
  sentence(code: string, facts?: Readonly<Record<string, string | number>>): string
  announce(text: string): void
}

/** What to draw. */
export interface Shelved {
  readonly browser: readonly Line[]
  readonly files: readonly Line[]
  readonly chosen: Line | null
}

export class ManageList {
  readonly element: HTMLElement
  readonly #options: ListScreenOptions
  readonly #own = ownPlace(navigator)
  readonly #boxes: Readonly<Record<Where, HTMLElement>>
  readonly #area: FileArea
  readonly #aside: Aside
  readonly #chosen = el('div', { class: 'manage-chosen' })
  readonly #told = el('p', { class: 'line-ok', role: 'status', hidden: true })
  readonly #alert = el('p', { class: 'alert', role: 'alert', hidden: true })

  constructor(options: ListScreenOptions) {
    this.#options = options
    const { say, events, announce } = options
    this.#area = fileArea(say, this.#own === 'phone', events.bring)
    this.#boxes = { browser: el('div', { class: 'list-box' }), files: el('div', { class: 'list-box' }) }
    const helping = (): void => this.#aside.show(say('help-title'), ...help(this.#own, say, announce))
    const links = el('p', { class: 'links' }, button(say('help-link'), 'link', helping))
    const browser = el('section', {}, el('h2', {}, say('manage-browser')), this.#boxes.browser)
    const files = el('section', {}, el('h2', {}, say('manage-files')), this.#boxes.files, this.#area.element, links)
    const main = el('div', {}, this.#told, this.#alert, browser, files, el('p', { class: 'hint' }, say('token-note')))
    this.#aside = new Aside(main, say)
    this.element = el('div', { class: 'manage-list' }, main, this.#aside.element)
    takeDrops(this.element, events.bring)
  }

  draw(shelved: Shelved): void {
    this.tell('', false)
    for (const where of ['browser', 'files'] as const) {
      const lines = shelved[where]
      const content = lines.length > 0 ? [this.#list(where, lines, shelved.chosen)] : this.#nothing(where)
      this.#boxes[where].replaceChildren(...content)
    }
    this.#area.compact(shelved.files.length > 0)
    this.mark(shelved.chosen)
  }

  #nothing(where: Where): HTMLElement[] {
    return where === 'browser' ? [el('p', { class: 'hint' }, this.#options.say('manage-none-kept'))] : []
  }

  #list(where: Where, lines: readonly Line[], chosen: Line | null): HTMLElement {
    const { say, lang, events, acts } = this.#options
    const enter = (): void => {
      const line = lines.find(({ entry }) => this.#isChecked(entry.id))
      const [first] = line === undefined ? [] : acts(line)
      if (first !== undefined) events.act(first)
    }
    // One group of radio buttons over both places: one certificate is chosen.
    const name = 'certificate-manage'
    return list(lines, { name, lang, say, chosen: chosen?.entry.id ?? null, purpose: 'manage', choose: events.choose, enter, legend: say(`manage-${where}`) })
  }

  #isChecked(id: string): boolean {
    return (document.getElementById(id) as HTMLInputElement | null)?.checked === true
  }

  /** Another line: nothing of the lists is drawn anew, so the focus stays. */
  mark(chosen: Line | null): void {
    for (const row of this.element.querySelectorAll('tr.line')) {
      const radio = row.querySelector<HTMLInputElement>('input')
      const isChosen = radio !== null && radio.value === chosen?.entry.id
      row.classList.toggle('chosen', isChosen)
      if (isChosen) radio.setAttribute('aria-describedby', 'why')
      else radio?.removeAttribute('aria-describedby')
    }
    if (chosen === null) return this.#chosen.remove()
    this.#chosen.replaceChildren(...this.#parts(chosen))
    const where: Where = chosen.entry.source?.kind === 'record' ? 'browser' : 'files'
    this.#boxes[where].after(this.#chosen)
  }

  #parts(line: Line): HTMLElement[] {
    const { say, acts, events } = this.#options
    const buttons = acts(line).map((act, at) => {
      const made = button(say(`manage-act-${act}`), at === 0 ? 'primary' : 'secondary', () => events.act(act))
      made.dataset['act'] = act
      return made
    })
    return [el('p', { class: 'why', id: 'why' }, this.#why(line)), el('div', { class: 'manage-acts' }, ...buttons)]
  }

  /** What the person should know of the chosen one. */
  #why({ entry, standing }: Line): string {
    const { say, registered, sentence } = this.#options
    const { certificate, source } = entry
    if (standing.code !== null) return sentence(standing.code, { file: entry.fileName })
    if (certificate === null) return say('manage-after-password')
    const parts: string[] = []
    if (certificate.fingerprintHex === registered) parts.push(say('manage-registered'))
    if (standing.chip === 'expired') parts.push(say('manage-expired', { date: day(certificate.notAfter) }))
    if (standing.chip === 'soon') parts.push(say('soon', { d: standing.days }))
    if (source?.kind === 'record' && source.record.backup === 'due') parts.push(say('backup-due'))
    if (source?.kind === 'record' && passkeySlot(source.record) !== null) parts.push(say('manage-passkey'))
    if (source?.kind === 'record' && pinSlot(source.record) !== null) parts.push(say('manage-simple'))
    return parts.join(' ')
  }

  reading(slow: boolean): void {
    this.#area.reading(slow)
  }

  brought({ found, tooLarge, full, failed }: Brought): void {
    const { say, sentence, announce } = this.#options
    if (failed !== null) this.tell(sentence(failed.code, failed.facts), true)
    else if (found === 0) this.tell(say(tooLarge > 0 ? 'found-too-large' : 'found-none'), true)
    else if (full) this.tell(say('found-full'), true)
    if (found > 0) announce(say('found', { n: found }))
    this.focus()
  }

  /** A sentence above the lists: what was done, or what went wrong. */
  tell(text: string, bad: boolean): void {
    for (const [place, shown] of [[this.#told, !bad], [this.#alert, bad]] as const) {
      place.textContent = shown ? text : ''
      show(place, shown && text !== '')
    }
    if (text !== '') this.element.scrollIntoView({ block: 'nearest' })
  }

  /** The chosen line, else the first, else the buttons that bring files. */
  focus(): void {
    const radios = [...this.element.querySelectorAll<HTMLInputElement>('tr.line input[type=radio]')]
    const radio = radios.find((each) => each.checked) ?? radios[0]
    if (radio !== undefined) radio.focus()
    else this.#area.focus()
  }

  /** 내보내기/가져오기 from the menu: where files are opened. */
  focusFiles(): void {
    this.#area.focus()
  }
}
