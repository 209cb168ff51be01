/** 비밀번호 변경: old, new, new again, by the rule of new passwords (W7, M-PW-01 to -03). */

import type { Lang } from '../customers.ts'
import { el } from '../dom.ts'
import type { Entry } from '../entries.ts'
import type { Say } from '../words.ts'
import { briefly, ownPassword, taskHeading } from './manage_parts.ts'
import { newPasswordForm } from './new_password.ts'

const NEW: Readonly<Record<string, string>> = {
  'issue-password': 'manage-new-password',
  'issue-password-again': 'manage-new-password-again',
}

export interface PasswordScreen {
  readonly element: HTMLElement
  busy(word: string | null): void
  wrongOld(text: string): void
  alert(text: string): void
  clear(): void
}

export interface PasswordEvents {
  change(old: Uint8Array, fresh: Uint8Array): void
  back(): void
  sentence(code: string): string
}

export function passwordScreen(entry: Entry, lang: Lang, say: Say, events: PasswordEvents): PasswordScreen {
  const old = ownPassword(say, 'manage-old-password', 'old-password')
  const alert = el('p', { class: 'alert', role: 'alert', hidden: true })
  const progress = el('p', { class: 'told', role: 'status' })
  let busy = false
  const submit = (): void => {
    if (!busy) events.change(old.take(), form.take())
  }
  /** Whether the old one is there and the new one is another; asked before the rule of the new one. */
  const fine = (fresh: string): boolean => {
    if (old.missing()) return false
    if (fresh === '' || old.field.input.value !== fresh) return true
    old.field.wrong(say('manage-same-password'))
    old.field.input.focus()
    return false
  }
  // Beside the current one both fields say that they are for the new one.
  const saying: Say = (name, facts) => say(NEW[name] ?? name, facts)
  const form = newPasswordForm(
    saying,
    { submit, cancel: events.back, sentence: events.sentence },
    { go: 'manage-act-password', hint: 'manage-password-hint', before: [old.element], fine },
  )
  const file = entry.source?.kind === 'record' ? [] : [el('p', { class: 'hint' }, say('manage-password-file'))]
  const heading = taskHeading(say('manage-password-title'))
  return {
    element: el('div', {}, heading, briefly(entry, lang, say), ...file, alert, form.element, progress),
    busy: (word) => {
      busy = word !== null
      form.element.setAttribute('aria-busy', String(busy))
      progress.textContent = word ?? ''
    },
    wrongOld: (text) => {
      old.field.wrong(text)
      old.field.input.focus()
    },
    alert: (text) => {
      alert.textContent = text
      alert.hidden = text === ''
    },
    clear: () => {
      old.clear()
      form.clear()
    },
  }
}
