/** 가져오기: a password test, a word about one that has expired, and what it takes the place of only after a yes (W7, B15). */

import { passkeySlot, type KeptRecord } from '../record.ts'
import type { Lang } from '../customers.ts'
import { button, el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import type { Say } from '../words.ts'
import { briefly, brieflyOf, ownPassword, taskForm, taskHeading } from './manage_parts.ts'

export interface ImportScreen {
  readonly element: HTMLElement
  busy(word: string | null): void
  wrong(text: string): void
  alert(text: string): void
  clear(): void
}

export interface ImportEvents {
  bring(password: Uint8Array): void
  back(): void
}

export function importScreen(entry: Entry, lang: Lang, say: Say, onPhone: boolean, events: ImportEvents): ImportScreen {
  const password = ownPassword(say)
  const alert = el('p', { class: 'alert', role: 'alert', hidden: true })
  const submit = (): void => {
    if (!password.missing()) events.bring(password.take())
  }
  const form = taskForm(say, 'manage-import-go', events.back, submit, password.element)
  const shared = el('p', { class: 'copy-warning' }, say(onPhone ? 'manage-shared-phone' : 'manage-shared-pc'))
  const heading = taskHeading(say('manage-import-title'))
  return {
    element: el('div', {}, heading, briefly(entry, lang, say), el('p', { class: 'hint' }, say('manage-import-lead')), shared, alert, form.element),
    busy: (word) => form.busy(word),
    wrong: (text) => {
      password.field.wrong(text)
      password.field.input.focus()
    },
    alert: (text) => {
      alert.textContent = text
      alert.hidden = text === ''
    },
    clear: password.clear,
  }
}

/** What is asked before it is kept. `same`: one of the records is this very certificate. */
export interface Question {
  readonly certificate: Uint8Array
  readonly expiredOn: string | null
  readonly twins: readonly KeptRecord[]
  readonly same: boolean
}

/** The question; nothing is written before its yes. */
export function importQuestion(say: Say, lang: Lang, question: Question, yes: () => void, no: () => void): HTMLElement {
  const { certificate, expiredOn, twins, same } = question
  const parts: HTMLElement[] = [taskHeading(say(twins.length > 0 ? 'copy-replace-title' : 'manage-expired-title'))]
  if (expiredOn !== null) parts.push(el('p', { class: 'copy-warning' }, say('manage-expired-import', { date: expiredOn })))
  if (twins.length > 0) parts.push(el('p', {}, say(same ? 'copy-replace-same' : 'copy-replace-renewed')))
  if (twins.some((each) => passkeySlot(each) !== null)) parts.push(el('p', {}, say('copy-replace-passkey')))
  const card = (title: string, der: Uint8Array): HTMLElement =>
    el('section', { class: 'issued-card' }, el('h3', {}, say(title)), brieflyOf(der, lang, say))
  if (!same) parts.push(...twins.map((each) => card('copy-replace-here', each.certificate)))
  parts.push(card('manage-came', certificate))
  const ends = el('div', { class: 'ends inline' }, button(say('manage-import-no'), 'secondary', no))
  ends.append(button(say(twins.length > 0 ? 'copy-replace-yes' : 'manage-import-yes'), 'primary', yes))
  return el('div', { class: 'copy-replace' }, ...parts, ends)
}
