/** 간편비밀번호: set under the certificate's password, taken away, and what it is worth (security B8). */

import { type Weakness, weakness } from '../../pure/pin.ts'
import { button, el } from '../dom.ts'
import type { Lang } from '../customers.ts'
import type { Entry } from '../entries.ts'
import type { Say } from '../words.ts'
import { briefly, ownPassword, taskForm, taskHeading } from './manage_parts.ts'
import { pinField } from './pin_field.ts'

export interface SimpleScreen {
  readonly element: HTMLElement
  busy(word: string | null): void
  /** Beside the certificate's password. */
  wrong(text: string): void
  alert(text: string): void
  clear(): void
}

export interface SimpleEvents {
  set(password: Uint8Array, pin: Uint8Array): void
  remove(): void
  login(): void
  back(): void
}

/** `isSet`: whether the record has one; `known`: whether somebody is logged in, who would be told of it. */
export function simpleScreen(
  entry: Entry,
  lang: Lang,
  say: Say,
  { isSet, known }: { readonly isSet: boolean; readonly known: boolean },
  events: SimpleEvents,
): SimpleScreen {
  const alert = el('p', { class: 'alert', role: 'alert', hidden: true })
  const tell = (text: string): void => {
    alert.textContent = text
    alert.hidden = text === ''
  }
  const parts = [taskHeading(say('manage-simple-title')), briefly(entry, lang, say), el('p', {}, say('simple-lead')), rules(say), alert]
  const standing = isSet ? [stands(say, events)] : []
  if (!known) {
    const text = el('p', { class: 'copy-warning' }, say('simple-login'))
    const ends = el('div', { class: 'ends inline' }, button(say('manage-to-list'), 'secondary', events.back), button(say('simple-to-login'), 'primary', events.login))
    return { element: el('div', {}, ...parts, ...standing, text, ends), busy: () => undefined, wrong: tell, alert: tell, clear: () => undefined }
  }
  const form = setForm(say, isSet, events)
  return { ...form, element: el('div', {}, ...parts, ...standing, form.element), alert: tell }
}

/** What it does and does not, in three lines. */
function rules(say: Say): HTMLElement {
  return el('ul', { class: 'simple-rules' }, ...['simple-rule-here', 'simple-rule-tries', 'simple-rule-password'].map((each) => el('li', {}, say(each))))
}

function stands(say: Say, events: SimpleEvents): HTMLElement {
  const remove = button(say('simple-remove'), 'secondary', events.remove)
  return el('div', { class: 'slot-line', 'data-slot': 'pin' }, el('span', { class: 'chip chip-good' }, say('simple-set')), remove)
}

type SetForm = Omit<SimpleScreen, 'alert'>

function setForm(say: Say, again: boolean, events: SimpleEvents): SetForm {
  const password = ownPassword(say, 'manage-own-password')
  const pin = pinField(say, 'simple-new', 'new-pin', say('simple-new-hint'))
  const repeated = pinField(say, 'simple-again', 'new-pin-again')
  const fine = (): boolean => {
    if (password.missing()) return false
    const weak: Weakness | null = weakness(pin.input.value)
    if (weak !== null) return said(pin, say(weak))
    return pin.input.value === repeated.input.value || said(repeated, say('simple-differ'))
  }
  const submit = (): void => {
    if (!fine()) return
    const digits = pin.take()
    repeated.clear()
    events.set(password.take(), digits)
  }
  const form = taskForm(say, again ? 'simple-set-again' : 'simple-go', events.back, submit, password.element, pin.element, repeated.element)
  return {
    element: form.element,
    busy: (word) => form.busy(word),
    wrong: (text) => {
      password.field.wrong(text)
      password.field.input.focus()
    },
    clear: () => {
      password.clear()
      pin.clear()
      repeated.clear()
    },
  }
}

function said(field: { readonly input: HTMLInputElement; wrong(text: string): void }, text: string): false {
  field.wrong(text)
  field.input.focus()
  return false
}
