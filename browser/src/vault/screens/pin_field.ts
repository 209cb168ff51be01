/** 간편비밀번호 as it is typed: six digits, by keyboard or by the keypad of this frame (security B8, E13). */

import { localKeypad } from '../../keypad/vault.ts'
import { DIGITS } from '../../pure/pin.ts'
import { button, el, show } from '../dom.ts'
import type { Say } from '../words.ts'

/** A field with the place for what is wrong with it. It leaves as bytes, and the field is empty then (B11). */
export interface PinField {
  readonly element: HTMLElement
  readonly input: HTMLInputElement
  take(): Uint8Array
  clear(): void
  wrong(text: string): void
}

export function pinField(say: Say, label = 'pin', id = 'pin', hint?: string): PinField {
  const input = el('input', {
    type: 'password',
    id,
    inputmode: 'numeric',
    maxlength: String(DIGITS),
    // Not a password of this site: a browser that saved it would take it out of the vault's rules.
    autocomplete: 'off',
    'aria-describedby': `${id}-wrong${hint === undefined ? '' : ` ${id}-hint`}`,
    enterkeyhint: 'done',
    class: 'pin',
  })
  const wrong = el('p', { id: `${id}-wrong`, class: 'wrong', role: 'alert', hidden: true })
  const tell = (text: string): void => {
    wrong.textContent = text
    show(wrong, text !== '')
    if (text === '') input.removeAttribute('aria-invalid')
    else input.setAttribute('aria-invalid', 'true')
    if (text !== '') wrong.scrollIntoView({ block: 'nearest' })
  }
  input.addEventListener('input', () => tell(''))
  const more = hint === undefined ? [] : [el('p', { id: `${id}-hint`, class: 'hint' }, hint)]
  const row = el('div', { class: 'label-row' }, el('label', { for: id }, say(label)))
  return {
    element: el('div', { class: 'field' }, row, input, localKeypad(input, say(label), 'digits'), wrong, ...more),
    input,
    take: () => {
      const bytes = new TextEncoder().encode(input.value)
      input.value = ''
      return bytes
    },
    clear: () => {
      input.value = ''
    },
    wrong: tell,
  }
}

/** The password and 간편비밀번호 of one line, one of them shown; the PIN first, for whom it was set. */
export class Ways {
  readonly pin: PinField
  readonly element: HTMLElement
  readonly #password: HTMLElement
  readonly #input: HTMLInputElement
  readonly #switch: HTMLButtonElement
  readonly #say: Say
  #can = false
  #wanted = true

  constructor(say: Say, password: HTMLElement, input: HTMLInputElement) {
    this.#say = say
    this.#password = password
    this.#input = input
    this.pin = pinField(say)
    this.#switch = button('', 'link way', () => {
      this.#wanted = !this.#wanted
      this.#draw()
      this.focus()
    })
    this.element = el('div', { class: 'ways' }, password, this.pin.element, this.#switch)
    this.#draw()
  }

  /** Whether the PIN is what is asked for now. */
  get byPin(): boolean {
    return this.#can && this.#wanted
  }

  /** `can`: whether the line has a PIN. */
  fit(shown: boolean, can: boolean): void {
    show(this.element, shown)
    if (this.#can !== can) this.pin.clear()
    this.#can = can
    this.#draw()
  }

  focus(): void {
    const field = this.byPin ? this.pin.input : this.#input
    field.focus()
  }

  empty(): boolean {
    return (this.byPin ? this.pin.input : this.#input).value === ''
  }

  #draw(): void {
    show(this.#password, !this.byPin)
    show(this.pin.element, this.byPin)
    show(this.#switch, this.#can)
    this.#switch.textContent = this.#say(this.byPin ? 'pin-by-password' : 'pin-by-pin')
  }
}
