/** The sender's first screen: to which device, what is signed, which certificate, and its password (security A19, C3). */

import type { Facts } from '../../pure/failure.ts'
import type { Lang } from '../customers.ts'
import { button, el, show } from '../dom.ts'
import { type Entry, passkeyOf, type Picked, withPinOf } from '../entries.ts'
import { ownPlace } from '../place.ts'
import { day, type Say } from '../words.ts'
import { Aside } from './aside.ts'
import { details } from './details.ts'
import { type FileArea, fileArea, takeDrops } from './files.ts'
import { help } from './help.ts'
import { type Line, list } from './list.ts'
import { Ways } from './pin_field.ts'
import { capsLock, passwordField, type PasswordField, revealer, takeBytes } from './password_fields.ts'

/** Who is told of what the person does. */
export interface ChooseEvents {
  choose(entryId: string): void
  bring(picked: Promise<readonly Picked[]>): void
  confirm(): void
  cancel(): void
}

/** What a picking brought. */
export interface Brought {
  readonly found: number
  readonly tooLarge: number
  readonly full: boolean
  readonly usable: boolean
}

/** What the screen is drawn with. `other`: the receiving device; `sentence`: of a failure code. */
export interface ChooseOptions {
  readonly say: Say
  readonly lang: Lang
  readonly other: string | null
  readonly bodyText: string
  readonly events: ChooseEvents
  sentence(code: string, facts?: Facts): string
  announce(text: string): void
}

export class ChooseScreen {
  readonly element: HTMLElement
  readonly #options: ChooseOptions
  readonly #own = ownPlace(navigator)
  readonly #listBox = el('div', { class: 'list-box' })
  readonly #why = el('p', { id: 'why', class: 'why' })
  readonly #links = el('p', { class: 'links' })
  readonly #alert = el('p', { role: 'alert', class: 'alert', hidden: true })
  readonly #area: FileArea
  readonly #field: PasswordField
  readonly #hide: () => void
  readonly #ways: Ways
  readonly #passkeyHint: HTMLElement
  readonly #form: HTMLFormElement
  readonly #go: HTMLButtonElement
  readonly #aside: Aside
  #lines: readonly Line[] = []
  #chosen: string | null = null

  constructor(options: ChooseOptions) {
    this.#options = options
    const { say, events } = options
    this.#area = fileArea(say, this.#own === 'phone', events.bring)
    const reveal = revealer(say, () => [this.#field.input])
    this.#hide = reveal.hide
    const described = 'password-hint passkey-hint'
    this.#field = passwordField({ id: 'password', label: say('password'), describedBy: described, enter: 'done', aside: reveal.element })
    this.#passkeyHint = el('p', { class: 'hint', id: 'passkey-hint', hidden: true }, say('copy-passkey-hint'))
    this.#field.element.append(el('p', { class: 'hint', id: 'password-hint' }, say('password-hint')))
    this.#ways = new Ways(say, this.#field.element, this.#field.input)
    this.#ways.element.append(this.#passkeyHint)
    this.#go = el('button', { type: 'submit', class: 'primary' }, say('copy-next'))
    this.#form = this.#makeForm()
    const below = el('div', { class: 'below' }, this.#why, this.#links)
    const main = el('div', { class: 'choose-main' }, ...this.#top(), this.#alert, this.#listBox, below)
    main.append(this.#area.element, this.#form)
    this.#aside = new Aside(main, say)
    this.element = el('div', { class: 'copy-choose' }, main, this.#aside.element)
    takeDrops(this.element, events.bring)
  }

  #makeForm(): HTMLFormElement {
    const { say, events } = this.#options
    const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', events.cancel), this.#go)
    const form = el('form', { class: 'use', novalidate: true }, this.#ways.element, capsLock(say, [this.#field.input]), ends)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      events.confirm()
    })
    return form
  }

  /** Where it goes, and the exact text that will be signed. */
  #top(): HTMLElement[] {
    const { say, other, bodyText } = this.#options
    const heading = el('h2', { tabindex: '-1', class: 'copy-title' }, say('purpose-copy-out'))
    const to = other === null ? [] : [el('p', { class: 'copy-device' }, say('copy-to', { device: other }))]
    const title = el('h3', { id: 'body-title', class: 'body-title' }, say('body-title'))
    const shown = el('pre', { class: 'body-text', tabindex: '0', 'aria-labelledby': 'body-title' }, bodyText)
    return [heading, ...to, title, shown]
  }

  draw(lines: readonly Line[], chosen: string | null): void {
    this.#lines = lines
    this.#chosen = chosen
    this.alert(null)
    this.#area.compact(lines.length > 0)
    const { say, lang, events } = this.#options
    const enter = (): void => {
      if (this.empty() && this.#line()?.standing.usable === true) this.focusPassword()
      else events.confirm()
    }
    const options = { name: 'certificate-copy', lang, say, chosen, purpose: 'copy-out', choose: events.choose, enter }
    this.#listBox.replaceChildren(...(lines.length === 0 ? [] : [list(lines, options)]))
    this.#mark()
  }

  /** Another line of the same list: nothing is drawn anew, so the focus stays. */
  mark(chosen: string): void {
    this.#chosen = chosen
    this.alert(null)
    this.#field.wrong('')
    this.#ways.pin.wrong('')
    this.#mark()
  }

  #line(): Line | undefined {
    return this.#lines.find(({ entry }) => entry.id === this.#chosen)
  }

  #mark(): void {
    const line = this.#line()
    for (const row of this.#listBox.querySelectorAll('tr.line')) {
      const radio = row.querySelector<HTMLInputElement>('input')
      const chosen = radio !== null && radio.value === this.#chosen
      row.classList.toggle('chosen', chosen)
      if (chosen) radio.setAttribute('aria-describedby', 'why')
      else radio?.removeAttribute('aria-describedby')
    }
    this.#why.textContent = this.#whyText(line)
    this.#why.classList.toggle('bad', line?.standing.usable === false)
    this.#links.replaceChildren(...this.#linksOf(line))
    this.#ways.fit(line?.standing.usable === true, line !== undefined && withPinOf(line.entry) !== null)
    show(this.#passkeyHint, line !== undefined && passkeyOf(line.entry) !== null)
  }

  #whyText(line: Line | undefined): string {
    const { say } = this.#options
    if (line === undefined) return this.#lines.length > 0 ? say('choose-line') : say('copy-none')
    if (!line.standing.usable) return this.reason(line)
    return line.standing.chip === 'soon' ? say('soon', { d: line.standing.days }) : ''
  }

  #linksOf(line: Line | undefined): HTMLElement[] {
    const { say, announce } = this.#options
    const helping = (): void => this.#aside.show(say('help-title'), ...help(this.#own, say, announce))
    const links = [button(say('help-link'), 'link', helping)]
    if (line === undefined) return links
    return [button(say('details'), 'link', () => this.#details(line.entry)), ...links]
  }

  #details(entry: Entry): void {
    const { say, lang } = this.#options
    this.#aside.show(say('details'), details(entry, lang, say))
  }

  /** Why a line may not leave. */
  reason({ entry, standing }: Line): string {
    const { certificate } = entry
    const dates = certificate === null ? {} : { date: day(certificate.notAfter), from: day(certificate.notBefore) }
    return this.#options.sentence(standing.code ?? 'defect', dates)
  }

  /** Something the person must know now; null takes it away. */
  alert(code: string | null, facts: Facts = {}): void {
    this.tell(code === null ? '' : this.#options.sentence(code, facts))
  }

  tell(text: string): void {
    this.#alert.textContent = text
    show(this.#alert, text !== '')
    if (text !== '') this.#alert.scrollIntoView({ block: 'nearest' })
  }

  /** Without a certificate: what is missing is said, and the focus goes there. */
  missing(): void {
    this.tell(this.#options.say(this.#lines.length > 0 ? 'choose-first' : 'copy-bring-first'))
    this.focus()
  }

  brought({ found, tooLarge, full, usable }: Brought): void {
    const { say, announce } = this.#options
    if (found === 0) this.tell(say(tooLarge > 0 ? 'found-too-large' : 'found-none'))
    else if (full) this.tell(say('found-full'))
    else announce(say('found', { n: found }))
    if (usable) this.focusPassword()
    else this.focus()
  }

  reading(slow: boolean): void {
    this.#area.reading(slow)
  }

  empty(): boolean {
    return this.#ways.empty()
  }

  /** UTF-8 of the password; the field is empty afterwards (B11). */
  take(): Uint8Array {
    this.#hide()
    return takeBytes(this.#field.input)
  }

  /** Whether 간편비밀번호 is what is asked for. */
  get byPin(): boolean {
    return this.#ways.byPin
  }

  /** Its six digits; the field is empty afterwards. */
  takePin(): Uint8Array {
    return this.#ways.pin.take()
  }

  clear(): void {
    this.#ways.pin.clear()
    this.#field.input.value = ''
    this.#hide()
  }

  wrong(text: string): void {
    const field = this.#ways.byPin ? this.#ways.pin : this.#field
    field.wrong(text)
    this.focusPassword()
  }

  busy(word: string | null): void {
    this.#form.setAttribute('aria-busy', String(word !== null))
    const { say } = this.#options
    this.#go.replaceChildren(...(word === null ? [say('copy-next')] : [el('span', { class: 'spinner' }), word]))
  }

  focusPassword(): void {
    this.#ways.focus()
  }

  /** The chosen line, else the first, else the buttons that bring files. */
  focus(): void {
    const radios = [...this.#listBox.querySelectorAll<HTMLInputElement>('input[type=radio]')]
    const radio = radios.find((each) => each.checked) ?? radios[0]
    if (radio !== undefined) radio.focus()
    else this.#area.focus()
  }
}
