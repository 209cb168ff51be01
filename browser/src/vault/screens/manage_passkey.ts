/** 생체: unlocking a kept certificate by this device's finger, face or PIN, listed, added and taken away (security B9). */

import { button, el } from '../dom.ts'
import type { Lang } from '../customers.ts'
import type { Entry } from '../entries.ts'
import type { Say } from '../words.ts'
import { briefly, ownPassword, taskForm, taskHeading } from './manage_parts.ts'

export interface PasskeyScreen {
  readonly element: HTMLElement
  busy(word: string | null): void
  /** Beside the certificate's password. */
  wrong(text: string): void
  alert(text: string): void
  clear(): void
}

export interface PasskeyEvents {
  add(password: Uint8Array): void
  remove(): void
  back(): void
}

/** `isSet`: whether the record has one; `can`: whether this device could. */
export function passkeyScreen(
  entry: Entry,
  lang: Lang,
  say: Say,
  { isSet, can }: { readonly isSet: boolean; readonly can: boolean },
  events: PasskeyEvents,
): PasskeyScreen {
  const alert = el('p', { class: 'alert', role: 'alert', hidden: true })
  const tell = (text: string): void => {
    alert.textContent = text
    alert.hidden = text === ''
  }
  const lead = [el('p', {}, say('bio-lead')), el('p', { class: 'hint' }, say('bio-password'))]
  const parts = [taskHeading(say('manage-passkey-title')), briefly(entry, lang, say), ...lead, listed(say, isSet, events), alert]
  if (!can) {
    const ends = el('div', { class: 'ends inline' }, button(say('manage-to-list'), 'primary', events.back))
    const text = el('p', { class: 'copy-warning' }, say('bio-cannot'))
    return { element: el('div', {}, ...parts, text, ends), busy: () => undefined, wrong: tell, alert: tell, clear: () => undefined }
  }
  const password = ownPassword(say, 'manage-own-password')
  const submit = (): void => {
    if (!password.missing()) events.add(password.take())
  }
  const form = taskForm(say, isSet ? 'bio-again' : 'bio-go', events.back, submit, password.element)
  return {
    element: el('div', {}, ...parts, form.element),
    busy: (word) => form.busy(word),
    wrong: (text) => {
      password.field.wrong(text)
      password.field.input.focus()
    },
    alert: tell,
    clear: password.clear,
  }
}

/** One to a record: what is added takes the place of it. */
function listed(say: Say, isSet: boolean, events: PasskeyEvents): HTMLElement {
  if (!isSet) return el('p', { class: 'slot-line hint' }, say('bio-none'))
  const remove = button(say('bio-remove'), 'secondary', events.remove)
  return el('div', { class: 'slot-line', 'data-slot': 'passkey' }, el('span', { class: 'chip chip-good' }, say('bio-set')), remove)
}
