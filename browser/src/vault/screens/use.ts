/** The lower part of the window: the password, keeping in this browser, [취소] and [확인]. */

import { localKeypad } from '../../keypad/vault.ts'
import { button, el, show } from '../dom.ts'
import type { Say } from '../words.ts'
import { Ways } from './pin_field.ts'

/** What the controller needs of it. The password leaves the field as bytes, and the field is emptied (B11). */
export interface UseForm {
  readonly element: HTMLFormElement
  readonly keep: HTMLInputElement
  focusPassword(): void
  empty(): boolean
  /** Whether 간편비밀번호 is what is asked for. */
  byPin(): boolean
  /** Its six digits; the field is empty afterwards. */
  takePin(): Uint8Array
  /** UTF-8 of the password, never trimmed or normalised; the field is empty afterwards. */
  take(): Uint8Array
  clear(): void
  wrong(text: string): void
  /** Which parts a line needs. */
  fit(parts: { readonly password: boolean; readonly keep: boolean; readonly passkey: boolean; readonly pin: boolean }): void
  busy(word: string | null): void
  keepTold(text: string): void
}

/** Who is told. */
export interface UseEvents {
  confirm(): void
  cancel(): void
  keep(wanted: boolean): void
}

/** Makes the form. Native submission never happens: the policy forbids it and the event is stopped. */
export function useForm(say: Say, onPhone: boolean, events: UseEvents): UseForm {
  const password = passwordField(say)
  const keep = keepField(say, onPhone, events)
  const confirm = el('button', { type: 'submit', class: 'primary' }, say('confirm'))
  const actions = el('div', { class: 'ends' }, button(say('cancel'), 'secondary', events.cancel), confirm)
  const passkey = el('p', { class: 'hint', id: 'passkey-hint', hidden: true }, say('passkey-hint'))
  const ways = new Ways(say, password.element, password.input)
  ways.element.append(passkey)
  const element = el('form', { class: 'use', novalidate: true }, ways.element, keep.element, actions)
  element.addEventListener('submit', (event) => {
    event.preventDefault()
    events.confirm()
  })
  return {
    element,
    keep: keep.box,
    focusPassword: () => ways.focus(),
    empty: () => ways.empty(),
    byPin: () => ways.byPin,
    takePin: () => ways.pin.take(),
    take: () => {
      const bytes = new TextEncoder().encode(password.input.value)
      password.clear()
      return bytes
    },
    clear: () => {
      password.clear()
      ways.pin.clear()
    },
    wrong: (text) => (ways.byPin ? ways.pin : password).wrong(text),
    fit: (parts) => {
      ways.fit(parts.password, parts.pin)
      show(keep.element, parts.keep)
      show(passkey, parts.passkey)
    },
    busy: (word) => {
      element.setAttribute('aria-busy', String(word !== null))
      confirm.replaceChildren(...(word === null ? [say('confirm')] : [el('span', { class: 'spinner' }), word]))
    },
    keepTold: keep.told,
  }
}

interface PasswordField {
  readonly element: HTMLElement
  readonly input: HTMLInputElement
  clear(): void
  wrong(text: string): void
}

function passwordField(say: Say): PasswordField {
  const input = el('input', {
    type: 'password',
    id: 'password',
    // Not a password of this site: a browser that saved it would take it out of the vault's rules.
    autocomplete: 'off',
    autocapitalize: 'none',
    spellcheck: 'false',
    'aria-describedby': 'password-wrong password-hint passkey-hint',
    enterkeyhint: 'done',
  })
  const wrong = el('p', { id: 'password-wrong', class: 'wrong', role: 'alert', hidden: true })
  const seen = button(say('show'), 'link', () => look(input.type === 'password'))
  const look = (open: boolean): void => {
    input.type = open ? 'text' : 'password'
    seen.textContent = say(open ? 'hide' : 'show')
    seen.setAttribute('aria-label', say(open ? 'hide-password' : 'show-password'))
    seen.setAttribute('aria-pressed', String(open))
  }
  look(false)
  const label = el('div', { class: 'label-row' }, el('label', { for: 'password' }, say('password')), seen)
  const hint = el('p', { id: 'password-hint', class: 'hint' }, say('password-hint'))
  const tell = (text: string): void => {
    wrong.textContent = text
    show(wrong, text !== '')
    if (text === '') input.removeAttribute('aria-invalid')
    else input.setAttribute('aria-invalid', 'true')
    // The field may have the focus already, which then moves nothing.
    if (text !== '') wrong.scrollIntoView({ block: 'nearest' })
  }
  input.addEventListener('input', () => tell(''))
  const clear = (): void => {
    input.value = ''
    look(false)
  }
  const pad = localKeypad(input, say('password'))
  return { element: el('div', { class: 'field' }, label, input, pad, wrong, hint), input, clear, wrong: tell }
}

interface KeepField {
  readonly element: HTMLElement
  readonly box: HTMLInputElement
  told(text: string): void
}

/** Asked for each time, off until ticked, with the word 공용 PC where it is a PC (security B15). */
function keepField(say: Say, onPhone: boolean, events: UseEvents): KeepField {
  const box = el('input', { type: 'checkbox', id: 'keep', 'aria-describedby': 'keep-hint keep-told' })
  box.addEventListener('change', () => events.keep(box.checked))
  const hint = el('p', { id: 'keep-hint', class: 'hint' }, say(onPhone ? 'keep-hint-phone' : 'keep-hint'))
  const told = el('p', { id: 'keep-told', class: 'hint told', hidden: true })
  const label = el('label', { for: 'keep' }, say('keep'))
  return {
    element: el('div', { class: 'keep' }, el('div', { class: 'check' }, box, label), hint, told),
    box,
    told: (text) => {
      told.textContent = text
      show(told, text !== '')
    },
  }
}
