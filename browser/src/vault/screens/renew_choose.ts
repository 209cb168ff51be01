/** 갱신: which certificate, its password, and a new password where the person wants one. */

import type { Facts } from '../../pure/failure.ts'
import type { ChoiceScreen } from '../copy_choosing.ts'
import type { Lang } from '../customers.ts'
import { button, el, show } from '../dom.ts'
import type { Picked } from '../entries.ts'
import { ownPlace } from '../place.ts'
import { day, type Say, sentence } from '../words.ts'
import type { Brought } from './copy_choose.ts'
import { type FileArea, fileArea, takeDrops } from './files.ts'
import { type Line, list } from './list.ts'
import { newPasswordFields, type NewPasswordEvents, type NewPasswordFields, type NewPasswordForm } from './new_password.ts'
import { capsLock, passwordField, type PasswordField, revealer, takeBytes } from './password_fields.ts'

/** Who is told of what the person does. */
export interface RenewEvents extends NewPasswordEvents {
  choose(entryId: string): void
  bring(picked: Promise<readonly Picked[]>): void
}

export class RenewScreen implements NewPasswordForm, ChoiceScreen {
  readonly element: HTMLElement
  readonly #say: Say
  readonly #lang: Lang
  readonly #events: RenewEvents
  readonly #listBox = el('div', { class: 'list-box' })
  readonly #why = el('p', { id: 'why', class: 'why' })
  readonly #alert = el('p', { role: 'alert', class: 'alert', hidden: true })
  readonly #told = el('p', { role: 'status', class: 'unseen' })
  readonly #area: FileArea
  readonly #field: PasswordField
  readonly #change = el('input', { type: 'checkbox', id: 'renew-change' })
  readonly #fields: NewPasswordFields
  readonly #below: HTMLElement
  readonly #hide: () => void
  #lines: readonly Line[] = []
  #chosen: string | null = null

  constructor(say: Say, lang: Lang, events: RenewEvents) {
    this.#say = say
    this.#lang = lang
    this.#events = events
    this.#area = fileArea(say, ownPlace(navigator) === 'phone', events.bring)
    const reveal = revealer(say, () => [this.#field.input])
    this.#hide = reveal.hide
    this.#field = passwordField({ id: 'password', label: say('password'), enter: 'done', aside: reveal.element })
    this.#fields = newPasswordFields(say, events.sentence)
    const fresh = el('div', { class: 'renew-fresh', hidden: true }, ...this.#fields.nodes)
    this.#change.addEventListener('change', () => {
      show(fresh, this.#change.checked)
      if (this.#change.checked) this.#fields.focus()
      else this.#fields.clear()
    })
    const change = el('p', { class: 'yes' }, el('label', { for: 'renew-change' }, this.#change, ' ', say('renew-change')))
    this.#below = el('div', { hidden: true }, this.#field.element, capsLock(say, [this.#field.input]), change, fresh)
    const go = el('button', { type: 'submit', class: 'primary' }, say('issue-go'))
    const ends = el('div', { class: 'ends inline' }, button(say('cancel'), 'secondary', events.cancel), go)
    const form = el('form', { class: 'use renew', novalidate: true }, this.#below, ends)
    form.addEventListener('submit', (event) => {
      event.preventDefault()
      events.submit()
    })
    this.element = el('div', { class: 'renew-choose' }, this.#alert, this.#listBox, this.#why, this.#area.element, form, this.#told)
    takeDrops(this.element, events.bring)
  }

  draw(lines: readonly Line[], chosen: string | null): void {
    this.#lines = lines
    this.#area.compact(lines.length > 0)
    const { choose, submit } = this.#events
    const say = this.#say
    const options = { name: 'certificate-renew', lang: this.#lang, say, chosen, purpose: 'renew', choose, enter: submit }
    this.#listBox.replaceChildren(...(lines.length === 0 ? [] : [list(lines, options)]))
    this.mark(chosen)
  }

  /** Another line of the same list: nothing is drawn anew, so the focus stays. */
  mark(chosen: string | null): void {
    this.#chosen = chosen
    this.tell('')
    this.#field.wrong('')
    const line = this.#line()
    for (const row of this.#listBox.querySelectorAll('tr.line')) {
      const radio = row.querySelector<HTMLInputElement>('input')
      row.classList.toggle('chosen', radio?.value === chosen)
      if (radio?.value === chosen) radio?.setAttribute('aria-describedby', 'why')
      else radio?.removeAttribute('aria-describedby')
    }
    this.#why.textContent = this.#whyText(line)
    this.#why.classList.toggle('bad', line?.standing.usable === false)
    show(this.#below, line?.standing.usable === true)
  }

  #line(): Line | undefined {
    return this.#lines.find(({ entry }) => entry.id === this.#chosen)
  }

  #whyText(line: Line | undefined): string {
    if (line === undefined) return this.#say(this.#lines.length > 0 ? 'choose-line' : 'renew-none')
    if (!line.standing.usable) return this.#reason(line)
    return line.standing.chip === 'soon' ? this.#say('renew-days', { d: line.standing.days }) : ''
  }

  #reason({ entry: { certificate }, standing }: Line): string {
    const dates = certificate === null ? {} : { date: day(certificate.notAfter), from: day(certificate.notBefore) }
    return sentence(this.#lang, standing.code ?? 'defect', dates)
  }

  reading(slow: boolean): void {
    this.#area.reading(slow)
  }

  brought({ found, tooLarge, full, usable }: Brought): void {
    if (found === 0) this.tell(this.#say(tooLarge > 0 ? 'found-too-large' : 'found-none'))
    else if (full) this.tell(this.#say('found-full'))
    else this.#told.textContent = this.#say('found', { n: found })
    if (usable) this.#field.input.focus()
    else this.focus()
  }

  alert(code: string, facts: Facts = {}): void {
    this.tell(sentence(this.#lang, code, facts))
  }

  tell(text: string): void {
    this.#alert.textContent = text
    show(this.#alert, text !== '')
  }

  /** Nothing is chosen. */
  missing(): false {
    this.tell(this.#say(this.#lines.length > 0 ? 'choose-first' : 'renew-none'))
    this.focus()
    return false
  }

  /** What is chosen cannot be renewed. */
  refuse(line: Line): false {
    this.tell(this.#reason(line))
    this.focus()
    return false
  }

  /** What is wrong with the password, beside it. */
  wrong(name: string, facts: Facts = {}): false {
    this.#field.wrong(this.#say(name, facts))
    this.#field.input.focus()
    return false
  }

  /** Whether a password was typed, and a new one by its rule where it is wanted. */
  typed(): boolean {
    if (this.#field.input.value === '') return this.wrong('password-missing')
    return !this.#change.checked || this.#fields.fine()
  }

  /** The new password, null where the old one stays. */
  takeFresh(): Uint8Array | null {
    return this.#change.checked ? this.#fields.take() : null
  }

  take(): Uint8Array {
    this.#hide()
    return takeBytes(this.#field.input)
  }

  clear(): void {
    this.#field.input.value = ''
    this.#hide()
    this.#fields.clear()
  }

  focus(): void {
    if (!this.#below.hidden) return this.#field.input.focus()
    const radios = [...this.#listBox.querySelectorAll<HTMLInputElement>('input[type=radio]')]
    const radio = radios.find((each) => each.checked) ?? radios[0]
    if (radio === undefined) this.#area.focus()
    else radio.focus()
  }
}
