/** Fields for a certificate's password: shown or hidden together, with a word about Caps Lock; emptied when taken (B11). */

import { localKeypad } from '../../keypad/vault.ts'
import { button, el, show } from '../dom.ts'
import type { Say } from '../words.ts'

/** One labelled field with the place for what is wrong with it. */
export interface PasswordField {
  readonly element: HTMLElement
  readonly input: HTMLInputElement
  /** Empty takes it away. */
  wrong(text: string): void
}

/** What a field needs: ids of what describes it, and what Enter is for (`next`, `done`). */
export interface FieldOptions {
  readonly id: string
  readonly label: string
  readonly describedBy?: string
  readonly enter: 'next' | 'done'
  readonly aside?: HTMLElement
}

/** A field. Not a password of this site: a browser that saved it would take it out of the vault's rules. */
export function passwordField({ id, label, describedBy = '', enter, aside }: FieldOptions): PasswordField {
  const input = el('input', {
    type: 'password',
    id,
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': `${id}-wrong ${describedBy}`.trim(),
    enterkeyhint: enter,
  })
  const wrong = el('p', { id: `${id}-wrong`, class: 'wrong', role: 'alert', hidden: true })
  const row = el('div', { class: 'label-row' }, el('label', { for: id }, label), ...(aside === undefined ? [] : [aside]))
  const tell = (text: string): void => {
    wrong.textContent = text
    show(wrong, text !== '')
    if (text === '') input.removeAttribute('aria-invalid')
    else input.setAttribute('aria-invalid', 'true')
  }
  input.addEventListener('input', () => tell(''))
  return { element: el('div', { class: 'field' }, row, input, localKeypad(input, label), wrong), input, wrong: tell }
}

/** The word that shows what was typed in all fields, and hides it again. */
export function revealer(say: Say, inputs: () => readonly HTMLInputElement[]): { element: HTMLElement; hide(): void } {
  const element = button(say('show'), 'link', () => look(element.getAttribute('aria-pressed') !== 'true'))
  const name = (open: boolean): void => {
    element.textContent = say(open ? 'hide' : 'show')
    element.setAttribute('aria-label', say(open ? 'hide-password' : 'show-password'))
    element.setAttribute('aria-pressed', String(open))
  }
  const look = (open: boolean): void => {
    for (const input of inputs()) input.type = open ? 'text' : 'password'
    name(open)
  }
  // The fields are hidden from the start, and are made after this word that stands beside the first of them.
  name(false)
  return { element, hide: () => look(false) }
}

/** A word that appears while Caps Lock is on and one of the fields is typed into. */
export function capsLock(say: Say, inputs: readonly HTMLInputElement[]): HTMLElement {
  const element = el('p', { class: 'caps', role: 'status' })
  const look = (event: KeyboardEvent | MouseEvent): void => {
    element.textContent = event.getModifierState('CapsLock') ? say('issue-caps') : ''
  }
  for (const input of inputs) {
    input.addEventListener('keydown', look)
    input.addEventListener('keyup', look)
    input.addEventListener('blur', () => (element.textContent = ''))
  }
  return element
}

/** UTF-8 of a field, never trimmed or normalised; all fields are empty afterwards. */
export function takeBytes(input: HTMLInputElement, ...others: readonly HTMLInputElement[]): Uint8Array {
  const bytes = new TextEncoder().encode(input.value)
  for (const each of [input, ...others]) each.value = ''
  return bytes
}
